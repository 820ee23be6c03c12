import type { Clock } from '../../src/shared/ports/clock.js';
import type { DiskWrite, Fates, Kept } from '../support/memory-disk.js';
import type { Prng } from './prng.js';
import type { ProcessClock } from './process-clock.js';

export interface DiskFaults {
  /** A write that fails with EIO after any part of it has been written. */
  writeFailure: number;
  /** A write that takes very long. */
  slowWrite: number;
  /** A read that fails with EIO. */
  readFailure: number;
}

const SECTOR_BYTES = 512;

/**
 * What becomes of the writes of one host: the drive goes by the world's clock, the process hears of it by its own. `begins` is
 * told of each write, and what it gives back of its failure. `faults` may change as the run goes on.
 */
export function randomFates(
  clocks: { readonly world: Clock; readonly process: ProcessClock },
  random: Prng,
  faults: DiskFaults,
  begins: (write: DiskWrite) => () => void,
): Fates {
  return (write) => {
    const slow = random.chance(faults.slowWrite);
    const fails = random.chance(faults.writeFailure);
    const failed = begins(write);
    const ms = slow ? random.between(50, 2_000) : random.between(0.1, 3);
    return new Promise((resolve) => {
      clocks.world.schedule(ms, () =>
        clocks.process.done(() => {
          if (fails) failed();
          resolve(fails ? { kept: random.below(write.bytes.length), fails: 'EIO' } : {});
        }),
      );
    });
  };
}

/** A power cut: an unfinished write is done, lost, torn at any byte, or any of its sectors are there. */
export function randomTear(random: Prng, tell: (how: string) => void): (write: DiskWrite) => Kept {
  return ({ bytes }) => {
    const how = random.pick(['lost', 'torn', 'sectors', 'done'] as const);
    tell(how);
    if (how === 'torn') return random.below(bytes.length);
    if (how === 'done') return bytes.length;
    if (how === 'lost') return 0;
    const sectors = Array.from({ length: Math.ceil(bytes.length / SECTOR_BYTES) }, (_, sector) => sector);
    return { sectors: sectors.filter(() => random.chance(0.5)) };
  };
}
