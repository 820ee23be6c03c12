import { spawn } from 'node:child_process';

/** A tool that takes longer hangs. */
const TOOL_MS = 5_000;
/** Of the time after which systemd takes a service for frozen: sd_watchdog_enabled(3) asks for less than half. */
const BEATS_PER_PERIOD = 0.4;
/** That systemd is not told any more is said again after so long. */
const SAY_AGAIN_MS = 600_000;

export interface Notification {
  /** An error text or undefined; resolves within `limitMs`. */
  readonly told: Promise<string | undefined>;
  /** The process ends: nothing of this holds it up. */
  readonly abandon: () => void;
}

/**
 * Tells systemd something (sd_notify(3)) where it asked for that by NOTIFY_SOCKET. Node has no datagram unix sockets, so
 * systemd's own tool sends it; the unit needs NotifyAccess=all. A tool that hangs is killed after `limitMs`, and keeps no
 * process alive before.
 */
export function notifySystemd(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  limitMs: number = TOOL_MS,
): Notification {
  if (!environment['NOTIFY_SOCKET']) return { told: Promise.resolve(undefined), abandon: () => undefined };
  const tool = spawn('systemd-notify', args, { stdio: 'ignore', env: environment });
  tool.unref();
  let hung: string | undefined;
  const kill = (why: string): void => {
    hung ??= why;
    tool.kill('SIGKILL');
  };
  const timer = setTimeout(() => kill(`systemd-notify did not end within ${limitMs / 1_000} s`), limitMs);
  timer.unref();
  const told = new Promise<string | undefined>((resolve) => {
    tool.once('error', (error) => resolve(error.message));
    tool.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : (hung ?? `systemd-notify exited with ${code}`));
    });
  });
  return { told, abandon: () => kill('systemd-notify did not end in time') };
}

/** That the service is up, and which process it is: the one that systemd started, where that watches this one. */
export function notifyReady(environment: NodeJS.ProcessEnv, mainPid: number, limitMs?: number): Notification {
  return notifySystemd(['--ready', `--pid=${mainPid}`], environment, limitMs);
}

/** How long systemd waits for a WATCHDOG=1 of this process; undefined where it does not, as sd_watchdog_enabled(3) has it. */
export function watchdogMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const { WATCHDOG_USEC: period = '', WATCHDOG_PID: of, NOTIFY_SOCKET: socket } = environment;
  if (!socket || (of !== undefined && of !== String(pid)) || !/^\d{1,15}$/.test(period)) return undefined;
  const periodMs = Number(period) / 1_000;
  return periodMs > 0 ? periodMs : undefined;
}

/** How often to say WATCHDOG=1. */
export function watchdogBeatMs(periodMs: number): number {
  return periodMs * BEATS_PER_PERIOD;
}

/** Says WATCHDOG=1, one at a time: a tool that hangs is killed when the next one is due. */
export class WatchdogBeats {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #warn: (reason: string) => void;
  #last: Notification | undefined;
  #saidMs = -Infinity;
  #ended = false;

  constructor(environment: NodeJS.ProcessEnv, warn: (reason: string) => void) {
    this.#environment = environment;
    this.#warn = warn;
  }

  beat(): void {
    this.#last?.abandon();
    const sent = notifySystemd(['WATCHDOG=1'], this.#environment);
    this.#last = sent;
    void sent.told.then((problem) => {
      if (problem !== undefined && !this.#ended) this.#say(problem);
    });
  }

  /** The process ends. */
  abandon(): void {
    this.#ended = true;
    this.#last?.abandon();
  }

  #say(reason: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < SAY_AGAIN_MS) return;
    this.#saidMs = nowMs;
    this.#warn(reason);
  }
}
