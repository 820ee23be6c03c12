import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { FULL, QUICK, wants, type Bench } from './bench.js';
import { PROFILE_VARIABLE } from './cluster.js';
import { describeMachine, makeFolder } from './machine.js';
import type { Measure } from './options.js';
import type { Result } from './result.js';
import { machineLine, table } from './table.js';

/** Measures this build once and prints its rows. Returns the exit code; a missed goal is no failure: it depends on the machine. */
export async function measure({ only, quick, json, profile }: Measure, benches: readonly Bench[]): Promise<number> {
  if (profile !== undefined) {
    mkdirSync(profile, { recursive: true });
    process.env[PROFILE_VARIABLE] = resolve(profile);
  }
  const { path: folder, remove } = makeFolder();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const effort = quick ? QUICK : FULL;
  const results: Result[] = [];
  // What was measured along with a row that somebody asked for is not shown.
  const add = (result: Result): void => void (wants(only, result.name) && results.push(result));
  let failed = false;
  try {
    const machine = describeMachine(folder);
    say(machineLine(machine));
    for (const bench of benches) {
      const names = bench.names.filter((name) => wants(only, name));
      if (names.length === 0) continue;
      say(`measuring ${names.join(', ')} …`);
      try {
        await bench.run({ effort, folder, add, say });
      } catch (error) {
        failed = true;
        say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
    }
    console.log(`\n${machineLine(machine)}\n\n${table(results)}`);
    if (json) console.log(JSON.stringify({ machine, results }));
  } finally {
    remove();
  }
  return failed ? 1 : 0;
}
