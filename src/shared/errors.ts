import { FIXES, type ErrorCode } from './error-codes.js';

export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean>>;

export interface ErrorOptions {
  /** What to do about it, when this case knows better than the code's usual fix. */
  readonly fix?: string;
  /** Values for logs; never a secret. */
  readonly details?: ErrorDetails;
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
  readonly details: ErrorDetails;

  constructor(code: C, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix ?? FIXES[code];
    this.details = options.details ?? {};
  }

  /** The one line an operator sees: `CODE: cause. Fix: …`. */
  toLine(): string {
    return `${this.code}: ${this.message.replace(/\.$/, '')}. Fix: ${this.fix}`;
  }
}

export function isHekateError(error: unknown): error is HekateError {
  return error instanceof HekateError;
}

/** The message of anything that was thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
