import { describe, expect, it } from 'vitest';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import type { Break } from './faults.js';
import { runSeed } from './run.js';

const SEEDS = 12;
/** Far more than any of the rules needs; `npm run sim -- --break RULE` says how many it took. */
const SEEDS_TO_CATCH = 60;

describe('simulator', () => {
  it(`every rule holds over ${SEEDS} seeds, with signatures made in each`, async () => {
    const group = await loadGroup();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure, signatures } = await runSeed(seed, group);
      expect({ seed, failure }).toEqual({ seed, failure: undefined });
      expect(signatures).toBeGreaterThan(0);
    }
  });

  it('a seed replays exactly, on either build of libsodium', async () => {
    const [first, second, wasm] = [
      await runSeed(7, await loadGroup()),
      await runSeed(7, await loadGroup()),
      await runSeed(7, await loadGroup('wasm')),
    ];
    expect(second).toEqual(first);
    expect(wasm).toEqual(first);
    expect(first.trace.length).toBeGreaterThan(10);
  });

  it.each<readonly [Break, readonly string[]]>([
    ['durable-first', ['durable-first']],
    ['watermark', ['no-equivocation', 'watermark-monotone']],
    ['nonce-once', ['nonce-once']],
    ['quorum', ['no-equivocation']],
    ['lease-close', ['one-dialler']],
  ])('--break %s is caught as %s', async (broken, rules) => {
    const group = await loadGroup();
    for (let seed = 1; seed <= SEEDS_TO_CATCH; seed++) {
      const { failure } = await runSeed(seed, group, broken);
      if (failure === undefined) continue;
      expect(rules).toContain(failure.rule);
      return;
    }
    expect.fail(`not caught in ${SEEDS_TO_CATCH} seeds`);
  });
});
