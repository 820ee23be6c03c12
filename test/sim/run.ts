import type { Group } from '../../src/shared/frost/group.js';
import { messageOf } from '../../src/shared/errors.js';
import { RuleViolation, type RuleName } from './checker.js';
import type { Break } from './breaks.js';
import { DEFAULT_FAULTS, type FaultName } from './faults.js';
import { World } from './world.js';

export interface SeedResult {
  readonly seed: number;
  readonly signatures: number;
  /** Undefined: every rule held. */
  readonly failure: { readonly rule: RuleName | 'fault'; readonly message: string } | undefined;
  readonly trace: readonly string[];
  /** What was reached, and how often. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface SeedOptions {
  readonly faults?: readonly FaultName[];
  /** Rule that is switched off. Where that is a change of text, this module was loaded with it. */
  readonly broken?: Break | undefined;
}

/** One seed, from start to judgement. The same seed gives the same trace, always. */
export async function runSeed(seed: number, group: Group, options: SeedOptions = {}): Promise<SeedResult> {
  const world = new World(seed, group, options.faults ?? DEFAULT_FAULTS, options.broken);
  const failure = await world.run().then(
    () => undefined,
    (error: unknown) => ({
      rule: error instanceof RuleViolation ? error.rule : ('fault' as const),
      message: messageOf(error),
    }),
  );
  const { signatures, trace, coverage } = world;
  return { seed, signatures, failure, trace, counts: coverage.counts() };
}
