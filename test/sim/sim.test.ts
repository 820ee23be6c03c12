import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { BREAK_NAMES, changesOf, type Break } from './breaks.js';
import { Coverage } from './coverage.js';
import { withChange } from './mutation-hooks.js';
import { runSeed } from './run.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const SEEDS = 12;
/** Far more than any of these needs; `.ci/long` breaks every rule. */
const SEEDS_TO_CATCH = 200;

describe('simulator', () => {
  it(`every rule holds over ${SEEDS} seeds, with signatures made in most`, async () => {
    const group = await loadGroup();
    let signatures = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = await runSeed(seed, group);
      expect({ seed, failure: result.failure }).toEqual({ seed, failure: undefined });
      signatures += result.signatures;
    }
    expect(signatures).toBeGreaterThan(5 * SEEDS);
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

  it.each<readonly [how: string, rule: Break]>([
    ['a part', 'nonce-once'],
    ['a threshold', 'quorum'],
    ['text of production', 'parts-hash'],
  ])('--break catches what is exchanged: %s', (_, rule) => {
    const args = ['test/sim/main.ts', '--break', rule, '--seeds', String(SEEDS_TO_CATCH), '--json'];
    const output = execFileSync(process.execPath, ['scripts/run.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
      break: rule,
      failure: { seed: expect.any(Number) as number },
    });
  });
});

describe('what --break exchanges', () => {
  const compiled = (file: string): string => {
    const source = readFileSync(join(ROOT, `${file}.ts`), 'utf8');
    const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
    return ts.transpileModule(source, { compilerOptions }).outputText;
  };

  it.each(BREAK_NAMES)('%s is still there, once', (rule) => {
    for (const change of changesOf(rule)) {
      const before = compiled(change.file);
      expect(withChange(before, change)).not.toBe(before);
    }
  });

  it('what is not there is told', () => {
    const change = { file: 'some/module', from: 'if (a)   return b;', to: '' };
    expect(() => withChange('if (a)\n  return c;', change)).toThrow('some/module has 0 times, not once');
    expect(withChange('x;\nif (a)\n  return b;\ny;', change)).toBe('x;\n\ny;');
  });
});

describe('coverage', () => {
  it('adds up, and says what was never reached', () => {
    const coverage = new Coverage();
    coverage.note('a');
    coverage.add({ a: 2, b: 1, c: 0 });
    expect(coverage.counts()).toEqual({ a: 3, b: 1, c: 0 });
    expect(coverage.missing(['a', 'b', 'c', 'd'])).toEqual(['c', 'd']);
  });
});
