import type { ProcessLog, LogFormat } from '../ports/pino-log.js';
import { beatWithLoop } from './loop-beat.js';

/** A process that is watched says so often that its loop turns. */
export const BEAT_MS = 200;

/** What a process tells a parent that started it with an IPC channel (watcher.ts, `hekate dev`). */
export type ToParent =
  /** It hears what it is told; and how it logs, so that its watcher can write as it does. */
  { readonly kind: 'hears'; readonly process: string; readonly format: LogFormat } | { readonly kind: 'beat' };

/** Signals that a watcher passes on. As a message, for where all processes of a service get them they come twice. */
export const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
export type PassedOn = (typeof PASSED_ON)[number];

export interface ToChild {
  readonly kind: 'signal';
  readonly signal: PassedOn;
}

export function parseToParent(message: unknown): ToParent | undefined {
  if (!isObject(message)) return undefined;
  const { kind, process, format } = message;
  if (kind === 'beat') return { kind };
  if (kind !== 'hears' || typeof process !== 'string') return undefined;
  return { kind, process, format: format === 'json' ? 'json' : 'text' };
}

function parseToChild(message: unknown): ToChild | undefined {
  if (!isObject(message) || message['kind'] !== 'signal') return undefined;
  const signal = PASSED_ON.find((one) => one === message['signal']);
  return signal && { kind: 'signal', signal };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * This process's side of the channel, where there is one: `onSignal` with what the parent passes on, `onGone` when the parent
 * is gone. It keeps nothing alive. `beat` begins the beats; returns how to end them.
 */
export class ParentChannel {
  readonly #log: ProcessLog;
  /** The last one has not left yet: a parent that hangs must not fill our memory with them. */
  #sending = false;

  constructor(log: ProcessLog) {
    this.#log = log;
  }

  /** Of the parent that watches this process; undefined where none does. */
  get watcherPid(): number | undefined {
    return process.channel == null ? undefined : process.ppid;
  }

  listen(onSignal: (signal: PassedOn) => void, onGone: () => void): void {
    if (process.channel == null) return;
    process.on('message', (message) => {
      const told = parseToChild(message);
      if (told !== undefined) onSignal(told.signal);
    });
    process.once('disconnect', onGone);
    // The channel is there to tell that the parent is gone; listening on it would keep us alive.
    process.channel.unref();
    const { format, base } = this.#log;
    this.#tell({ kind: 'hears', process: String(base['process'] ?? ''), format });
  }

  beat(): () => void {
    if (process.channel == null) return () => undefined;
    const beat = (): void => this.#tell({ kind: 'beat' });
    // From the first one on it is watched.
    beat();
    return beatWithLoop(BEAT_MS, beat);
  }

  #tell(message: ToParent): void {
    if (this.#sending || !process.connected || process.send === undefined) return;
    this.#sending = true;
    process.send(message, undefined, undefined, () => (this.#sending = false));
  }
}
