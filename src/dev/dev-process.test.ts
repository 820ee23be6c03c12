import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DevProcess } from './dev-process.js';

/** Ends as our processes do: when nothing is left to do; says so in a file, which a killed one does not. */
const PROGRAM = `
  import { writeFileSync } from 'node:fs';
  process.once('disconnect', () => undefined);
  const running = setInterval(() => undefined, 1000);
  process.once('SIGTERM', () => clearInterval(running));
  process.once('exit', () => writeFileSync(process.argv[1] + '.ended', ''));
  console.log(JSON.stringify({ level: 'info', event: 'ready' }));
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-dev-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('a process that is stopped ends by itself', async () => {
  const main = join(dir, 'main.mjs');
  writeFileSync(main, PROGRAM);
  const deaths: string[] = [];
  const child = new DevProcess({
    name: 'cosigner-1',
    role: 'cosigner',
    dir,
    main,
    onEvent: () => undefined,
    onStart: () => undefined,
    onDeath: (_name, how) => void deaths.push(how),
  });
  child.start();
  await child.ready;
  await child.stop();
  expect([existsSync(`${main}.ended`), deaths]).toEqual([true, []]);
});
