import { HekateError, isHekateError, messageOf } from '../errors.js';
import { InvariantViolation } from '../invariant.js';
import type { Log } from '../ports/log.js';
import type { ProcessLog } from '../ports/pino-log.js';
import { flushStandardStreams, neverWaitForReaders } from '../ports/standard-streams.js';
import { forbidCoreDumps } from './hardening.js';
import { beatWithLoop } from './loop-beat.js';
import { ParentChannel } from './parent-channel.js';
import { Started } from './started.js';
import { notifyReady, watchdogBeatMs, WatchdogBeats, watchdogMs } from './systemd.js';

/** How long a process that was told to end may go on with what is under way. */
export const FINISH_MS = 1_500;
/** It has ended by then, whatever hangs: 2 s, with something left for the end itself. */
const END_MS = 1_850;
const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Runs one process in the foreground until a signal, or the end of the parent that started it with an IPC channel (its
 * watcher, or `hekate dev`). `start` adds what it puts up to `started`, which is taken down in the end, and also when the start
 * fails or is cut short. SIGHUP calls `reload` and ends nothing. Resolves with the exit code; throws what `start` throws.
 */
export async function runInForeground(
  log: ProcessLog,
  start: (started: Started) => Promise<void>,
  reload: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  forbidCoreDumps();
  neverWaitForReaders((name, reason) => log.warn('warning of Node', { name, reason }));
  process.once('uncaughtException', (error) => dieOf(log, error));
  process.once('unhandledRejection', (reason) => dieOf(log, reason));
  const parent = new ParentChannel(log);
  const toldToEnd = untilToldToEnd(parent, reload);
  const started = new Started();
  const ready = start(started).then(() => sayReady(log, parent, started));
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

/** The second signal of a kind finds no handler, and ends the process at once; but for what comes through the watcher. */
function untilToldToEnd(parent: ParentChannel, reload: () => Promise<void>): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of END_SIGNALS) process.once(signal, () => resolve(signal));
    process.on('SIGHUP', () => void reload());
    parent.listen(
      (signal) => (signal === 'SIGHUP' ? void reload() : resolve(signal)),
      () => resolve('parent is gone'),
    );
  });
}

/** What runs from now on until the process is taken down goes to the bottom of `started`: it ends last. */
function sayReady(log: ProcessLog, parent: ParentChannel, started: Started): void {
  log.info('ready', { pid: process.pid });
  started.addFirst(parent.beat());
  void tellSystemd(log, parent.watcherPid ?? process.pid, started);
  const periodMs = watchdogMs(process.env, process.pid);
  if (periodMs === undefined) return;
  const beats = new WatchdogBeats(process.env, (reason) => log.warn('systemd is not told that this runs', { reason }));
  const end = beatWithLoop(watchdogBeatMs(periodMs), () => beats.beat());
  started.addFirst(() => (end(), beats.abandon()));
}

async function tellSystemd(log: Log, mainPid: number, started: Started): Promise<void> {
  const notification = notifyReady(process.env, mainPid);
  let ending = false;
  started.addFirst(() => ((ending = true), notification.abandon()));
  const problem = await notification.told;
  if (problem !== undefined && !ending) log.warn('systemd was not told', { reason: problem });
}

/** When this is over nothing should keep the process alive; the timer ends it if something does. */
async function takeDown(started: Started, log: Log): Promise<void> {
  const late = setTimeout(() => {
    log.warn('not everything could be ended in order', { endMs: END_MS });
    flushStandardStreams();
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
  for (const signal of [...END_SIGNALS, 'SIGHUP']) process.removeAllListeners(signal);
  if (!flushStandardStreams()) process.kill(process.pid, 'SIGKILL');
  process.exit(70);
}
