import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';

interface Steps {
  /** Least wait after the first failure; it doubles with each one that follows. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** A stream that lasted so long makes the next failure a first one. */
  readonly lastedMs: number;
}

/** A stream was open, or something answered: dialled again soon, less often while that goes on. */
const USUAL: Steps = { firstMs: 100, mostMs: 400, lastedMs: 10_000 };
/**
 * Another process came with our identity. Whoever dials takes the stream from the other, so two that are in a hurry take turns
 * for ever and neither gets anything signed. `lastedMs` is above the longest wait: losing the stream again is no first time.
 */
const REPLACED: Steps = { firstMs: 1_000, mostMs: 60_000, lastedMs: 180_000 };
/** A cosigner, or we, must be upgraded first: nothing is gained by asking often, and one that was is wanted within seconds. */
const OLD: Steps = { firstMs: 1_000, mostMs: 4_000, lastedMs: 10_000 };
/**
 * Somebody has to mend a configuration first: what answers is not the cosigner that is pinned, or does not know us, or does not
 * speak as one. With the jitter 5 s at most.
 */
const WRONG: Steps = { firstMs: 100, mostMs: 2_000, lastedMs: 10_000 };
const WRONG_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PEER_NOT_COSIGNER',
  'TLS_REFUSED',
  'TLS_WRONG_PEER',
  'TLS_WRONG_ROLE',
  'TRANSPORT_MALFORMED',
]);
/** A stream was lost, for the first time in a while: what became of the cosigner is wanted before the lease is let go. */
const AT_ONCE_MS = 10;
/** Each wait is up to this much longer than its least, so that two never keep step. */
const JITTER = 1.5;
/** Nobody is there to be bothered, and a cosigner that comes back is wanted at once. */
const NOBODY_THERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PEER_REFUSED',
  'PEER_TIMEOUT',
  'PEER_UNREACHABLE',
  'PEER_UNKNOWN_HOST',
  'PEER_DNS_TIMEOUT',
  'PEER_DNS_FAILED',
]);

/** How long to wait before a cosigner is dialled again. */
export class RedialDelay {
  readonly #random: RandomBytes;
  readonly #failures = new Map<Steps, number>();

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** `code`: why there is no stream. `openMs`: for how long there was one; 0 when none came of the dial. */
  next(code: ErrorCode, openMs: number): number {
    for (const steps of this.#failures.keys()) if (openMs >= steps.lastedMs) this.#failures.delete(steps);
    if (NOBODY_THERE.has(code)) return this.#spread(USUAL.firstMs);
    const steps =
      code === 'LINK_REPLACED' ? REPLACED : code === 'PROTOCOL_OLD' ? OLD : WRONG_CODES.has(code) ? WRONG : USUAL;
    const failures = this.#failures.get(steps) ?? 0;
    this.#failures.set(steps, failures + 1);
    if (steps === USUAL && failures === 0 && openMs > 0) return this.#spread(AT_ONCE_MS);
    return this.#spread(Math.min(steps.mostMs, steps.firstMs * 2 ** failures));
  }

  #spread(leastMs: number): number {
    const [byte = 0] = this.#random(1);
    return leastMs * (1 + (byte / 255) * JITTER);
  }
}
