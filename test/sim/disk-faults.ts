import type { Clock } from '../../src/shared/ports/clock.js';
import type { DiskWrite, Fates } from '../support/memory-disk.js';
import type { Prng } from './prng.js';

export interface DiskFaults {
  /** A write that fails with EIO after any part of it has been written. */
  writeFailure: number;
  /** A write that takes very long. */
  slowWrite: number;
}

/** What becomes of the writes of one host. `faults` may change as the run goes on. */
export function randomFates(clock: Clock, random: Prng, faults: DiskFaults): Fates {
  return ({ bytes }) => {
    const slow = random.chance(faults.slowWrite);
    const fails = random.chance(faults.writeFailure);
    const ms = slow ? random.between(50, 2_000) : random.between(0.1, 3);
    return new Promise((resolve) => {
      clock.schedule(ms, () => resolve(fails ? { kept: random.below(bytes.length), fails: 'EIO' } : {}));
    });
  };
}

/** A power cut: an unfinished write is done, lost, or torn at any byte. */
export function randomTear(random: Prng): (write: DiskWrite) => number {
  return ({ bytes }) => {
    const how = random.pick(['lost', 'torn', 'done'] as const);
    if (how === 'torn') return random.below(bytes.length);
    return how === 'done' ? bytes.length : 0;
  };
}
