import { FIXES, type ErrorCode } from './error-codes.js';

/** Codes of disk failures on a state file. */
export type StateDiskCode = Extract<
  ErrorCode,
  | 'STATE_MISSING'
  | 'STATE_EXISTS'
  | 'STATE_LOCKED'
  | 'STATE_LOCK_UNSUPPORTED'
  | 'STATE_MODE'
  | 'STATE_NOT_WRITABLE'
  | 'STATE_UNREADABLE'
  | 'STATE_WRITE_FAILED'
>;

/** What an error of a code may carry beside its message, for scripts and logs; never a secret. */
export type DetailsOf<C extends ErrorCode> = C extends 'CONFIG_INVALID'
  ? { readonly file: string; readonly problems: number }
  : C extends StateDiskCode
    ? { readonly path: string; readonly disk: string }
    : C extends `DIAL_${string}`
      ? { readonly node: string }
      : C extends `SOCKET_${string}`
        ? { readonly errno: string }
        : C extends 'SC_BAD_HELLO' | 'SC_BAD_AUTH'
          ? { readonly wrongAt: number; readonly found: string }
          : C extends 'SC_LOW_ORDER_KEY'
            ? { readonly keySha256: string }
            : never;

export interface ErrorOptions<C extends ErrorCode> {
  /** What to do about it, when this case knows better than the code's usual fix. */
  readonly fix?: string;
  readonly details?: DetailsOf<C>;
  readonly cause?: unknown;
}

/**
 * An error of the world (bad input, a full disk, a lost peer) with a stable code that logs, metric labels and the docs
 * share. A broken invariant is not one of these: see `invariant()`.
 */
export class HekateError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'HekateError';
  readonly code: C;
  readonly fix: string;
  readonly details: DetailsOf<C> | undefined;

  constructor(code: C, message: string, options: ErrorOptions<C> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix ?? FIXES[code];
    this.details = options.details;
  }

  /** The one line an operator sees: `CODE: cause. Fix: …`. */
  toLine(): string {
    return `${this.code}: ${this.message.replace(/\.$/, '')}. Fix: ${this.fix}`;
  }

  /** What scripts see (`--json`). */
  toJSON(): Pick<this, 'code' | 'message' | 'fix' | 'details'> {
    const { code, message, fix, details } = this;
    return { code, message, fix, details };
  }
}

export function isHekateError(error: unknown): error is HekateError {
  return error instanceof HekateError;
}

/** The message of anything that was thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
