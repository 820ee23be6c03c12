import { HekateError, isHekateError, messageOf } from '../errors.js';
import { InvariantViolation } from '../invariant.js';
import type { Log } from '../ports/log.js';
import { forbidCoreDumps } from './hardening.js';
import { Started } from './started.js';
import { notifyReady } from './systemd.js';

/** How long a process that was told to end may go on with what is under way. */
export const FINISH_MS = 1_500;
/** It has ended by then, whatever hangs: 2 s, with something left for the end itself. */
const END_MS = 1_850;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Runs one process in the foreground until a signal, or the end of the parent that started it with an IPC channel
 * (`hekate dev`). `start` adds what it puts up to `started`, which is taken down in the end, and also when the start fails or
 * is cut short. Resolves with the exit code; throws what `start` throws.
 */
export async function runInForeground(log: Log, start: (started: Started) => Promise<void>): Promise<number> {
  forbidCoreDumps();
  process.once('uncaughtException', (error) => dieOf(log, error));
  process.once('unhandledRejection', (reason) => dieOf(log, reason));
  const toldToEnd = untilToldToEnd();
  const started = new Started();
  const ready = start(started).then(() => sayReady(log));
  try {
    const why = await Promise.race([toldToEnd, ready.then(() => toldToEnd)]);
    log.info('stopping', { reason: why });
  } catch (error) {
    await takeDown(started, log);
    throw error;
  }
  await takeDown(started, log);
  log.info('stopped');
  return 0;
}

/** The second signal of a kind finds no handler, and ends the process at once. */
function untilToldToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve(signal));
    process.once('disconnect', () => resolve('parent is gone'));
    // The channel is there to tell that the parent is gone; listening on it would keep us alive.
    process.channel?.unref();
  });
}

async function sayReady(log: Log): Promise<void> {
  log.info('ready', { pid: process.pid });
  const problem = await notifyReady(process.env);
  if (problem !== undefined) log.warn('systemd was not told', { reason: problem });
}

/** When this is over nothing should keep the process alive; the timer ends it if something does. */
async function takeDown(started: Started, log: Log): Promise<void> {
  const late = setTimeout(() => {
    log.warn('not everything could be ended in order', { endMs: END_MS });
    // process.exit() would wait for a write that hangs.
    process.kill(process.pid, 'SIGKILL');
  }, END_MS);
  for (const error of await started.stop()) log.warn('not ended in order', { reason: messageOf(error) });
  late.unref();
}

/** A fault of ours: say it and end at once, before anything else can be signed. */
export function dieOf(log: Log, error: unknown): never {
  const code = isHekateError(error) ? error.code : error instanceof InvariantViolation ? 'INVARIANT' : 'INTERNAL';
  const stack = error instanceof Error && !(error instanceof HekateError) ? error.stack : undefined;
  log.error('fault', { code, message: messageOf(error), stack });
  // Should the exit wait for a write that hangs, a signal is to end it all the same.
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  process.exit(70);
}
