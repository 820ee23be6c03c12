import { HekateError, isHekateError, messageOf } from '../errors.js';
import { InvariantViolation } from '../invariant.js';
import type { Log } from '../ports/log.js';
import { forbidCoreDumps } from './hardening.js';
import { notifyReady } from './systemd.js';

/** Longest time for a clean end before the process goes anyway. */
const STOP_TIMEOUT_MS = 3_000;

export interface Running {
  /** Ends everything in order; called once. */
  stop(): Promise<void>;
}

/**
 * Runs one process in the foreground until SIGTERM, SIGINT, or the end of the parent that started it with an IPC channel
 * (`hekate dev`). Resolves with the exit code.
 */
export async function runInForeground(log: Log, start: () => Promise<Running>): Promise<number> {
  forbidCoreDumps();
  process.once('uncaughtException', (error) => dieOf(log, error));
  process.once('unhandledRejection', (reason) => dieOf(log, reason));
  const ended = new Promise<string>((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('disconnect', () => resolve('parent is gone'));
  });
  const running = await start();
  log.info('ready', { pid: process.pid });
  const problem = await notifyReady(process.env);
  if (problem !== undefined) log.warn('systemd was not told', { reason: problem });
  const why = await ended;
  log.info('stopping', { reason: why });
  const stuck = setTimeout(() => process.exit(1), STOP_TIMEOUT_MS);
  await running.stop();
  clearTimeout(stuck);
  log.info('stopped');
  return 0;
}

/** A fault of ours: say it and end at once, before anything else can be signed. */
export function dieOf(log: Log, error: unknown): never {
  const code = isHekateError(error) ? error.code : error instanceof InvariantViolation ? 'INVARIANT' : 'INTERNAL';
  const stack = error instanceof Error && !(error instanceof HekateError) ? error.stack : undefined;
  log.error('fault', { code, message: messageOf(error), stack });
  process.exit(70);
}
