import type { Prng } from '../sim/prng.js';
import type { GroundName } from './grounds.js';
import type { Stage } from './grounds.js';

/** What the issue of failover wants of one fault; data for the report, never asserted. */
export interface Goal {
  /** The longest time without a signature. */
  readonly gapMs?: number;
  /** Late and missed together: what a chain with a timeout of 1 s goes without. */
  readonly lateOrMissed?: number;
  readonly missed: number;
}

/** One kind of fault, and how the ground is broken with it. What it breaks is mended when the ground settles. */
export interface Scenario {
  /** Unique on its ground. */
  readonly name: string;
  readonly ground: GroundName;
  /** What happens and when, in words. */
  readonly what: string;
  readonly goal: Goal;
  /**
   * Votes that one fault may cost before the run fails: what the table of goals allows, or any number where the fault takes the
   * quorum away.
   */
  readonly mayMiss: number;
  /** In the short run too. */
  readonly short?: true;
  /** Faults that one run injects; default 1. */
  readonly faults?: number;
  readonly run: (stage: Stage, random: Prng) => Promise<void>;
}

export const ANY = Infinity;

export function fullName({ ground, name }: Pick<Scenario, 'ground' | 'name'>): string {
  return `${ground}/${name}`;
}
