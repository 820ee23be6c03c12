import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT, say } from './steps.mjs';

const FOLDER = join(ROOT, '.cache');
const FILE = join(FOLDER, 'set-up.lock');
const TOUCH_MS = 1_000;
/** Whoever holds it touches it every second; its process id may be somebody else's by now. */
const STALE_MS = 60_000;

/** Runs a task while no other script of this checkout does: two that install or build at once would break both. */
export async function alone(task) {
  await take();
  const touch = setInterval(() => utimesSync(FILE, new Date(), new Date()), TOUCH_MS);
  try {
    return await task();
  } finally {
    clearInterval(touch);
    rmSync(FILE, { force: true });
  }
}

async function take() {
  mkdirSync(FOLDER, { recursive: true });
  for (let said = false; ; said = true) {
    try {
      writeFileSync(FILE, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const pid = holder();
    if (pid === undefined) rmSync(FILE, { force: true });
    else {
      if (!said) say(`process ${pid} is setting this checkout up: waiting for it`);
      await delay(200);
    }
  }
}

/** Undefined when nobody holds it any more. */
function holder() {
  try {
    const pid = Number(readFileSync(FILE, 'utf8'));
    if (Date.now() - statSync(FILE).mtimeMs > STALE_MS) return undefined;
    // Empty for a moment, while it is written.
    if (pid > 0) process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === 'EPERM' ? 0 : undefined;
  }
}
