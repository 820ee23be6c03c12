import type { Group } from '../../src/shared/frost/group.js';
import { messageOf } from '../../src/shared/errors.js';
import { RuleViolation, type RuleName } from './checker.js';
import type { Break } from './faults.js';
import { World } from './world.js';

export interface SeedResult {
  readonly seed: number;
  readonly signatures: number;
  /** Undefined: every rule held. */
  readonly failure: { readonly rule: RuleName | 'fault'; readonly message: string } | undefined;
  readonly trace: readonly string[];
}

/** One seed, from start to judgement. The same seed gives the same trace, always. */
export async function runSeed(seed: number, group: Group, broken?: Break): Promise<SeedResult> {
  const world = new World(seed, group, broken);
  try {
    await world.run();
    return { seed, signatures: world.signatures, failure: undefined, trace: world.trace };
  } catch (error) {
    const rule = error instanceof RuleViolation ? error.rule : 'fault';
    return { seed, signatures: world.signatures, failure: { rule, message: messageOf(error) }, trace: world.trace };
  }
}
