import { parseArgs } from 'node:util';
import { messageOf } from '../../src/shared/errors.js';

export const USAGE = `usage: npm run chaos -- [--minutes N] [--only NAME …] [--short] [--seed S] [--json] [--list]
       npm run chaos -- --evidence [--heights N] [--seed S] [--json]

Breaks a running cluster in every way that test/chaos knows, with votes asked for all the time, and counts what that costs.
Without --minutes each scenario runs once.

  --minutes N   in random order, again and again, for about so long (1 to 1440)
  --only NAME   scenarios whose name begins like this; may be given several times
  --short       those that CI runs
  --seed S      the order and every random draw of an earlier run (0 to 4294967295); it is printed at the start
  --json        the last line is {"results":[{"name","asked","signed","late","missed","longestGapMs","doubles",…}]}
  --list        only tells the scenarios
  --evidence    nothing of that: four validators, ours on two nodes that are switched every 20 s, once behind hekate and once each
                with a copy of the key; tells the evidence of double signing that their blocks carry
  --heights N   so many blocks of each of the two (10 to 100000; default 300)
  --help        this

Exit code: 0; 1 for a double signature, a vote missed that the scenario does not allow, or signing that did not go on, and
with --evidence where hekate made some, or two key files made none; 2 for wrong usage; 3 where a ground that was asked for cannot be had here.`;

export interface ChaosOptions {
  readonly kind: 'run' | 'list' | 'help' | 'evidence';
  /** Undefined: each scenario once. */
  readonly minutes: number | undefined;
  /** How the names of the wanted scenarios begin; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly short: boolean;
  /** Undefined: any. */
  readonly seed: number | undefined;
  readonly json: boolean;
  /** Of each network of --evidence. */
  readonly heights: number;
}

export interface WrongUsage {
  readonly kind: 'wrong';
  readonly problem: string;
}

const MOST_MINUTES = 1_440;
const MOST_SEED = 2 ** 32 - 1;
const HEIGHTS = 300;
const LEAST_HEIGHTS = 10;
const MOST_HEIGHTS = 100_000;

export function parseOptions(args: readonly string[]): ChaosOptions | WrongUsage {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        minutes: { type: 'string' },
        only: { type: 'string', multiple: true },
        short: { type: 'boolean' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        evidence: { type: 'boolean' },
        heights: { type: 'string' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const [unasked] = positionals;
    if (unasked !== undefined) return wrong(`'${unasked}' belongs to no option`);
    const { minutes, only, short = false, seed, json = false, list = false, help = false } = values;
    const { evidence = false, heights } = values;
    if (minutes !== undefined && !isWhole(minutes, 1, MOST_MINUTES))
      return wrong(`--minutes is a whole number from 1 to ${MOST_MINUTES}, not '${minutes}'`);
    if (seed !== undefined && !isWhole(seed, 0, MOST_SEED))
      return wrong(`--seed is a whole number from 0 to ${MOST_SEED}, not '${seed}'`);
    if (only?.includes('') === true) return wrong('--only wants the beginning of a name');
    if (heights !== undefined && !evidence) return wrong('--heights goes with --evidence only');
    if (heights !== undefined && !isWhole(heights, LEAST_HEIGHTS, MOST_HEIGHTS))
      return wrong(`--heights is a whole number from ${LEAST_HEIGHTS} to ${MOST_HEIGHTS}, not '${heights}'`);
    if (evidence && (minutes !== undefined || only !== undefined || short || list))
      return wrong('--evidence goes without --minutes, --only, --short and --list');
    return {
      kind: help ? 'help' : list ? 'list' : evidence ? 'evidence' : 'run',
      minutes: minutes === undefined ? undefined : Number(minutes),
      seed: seed === undefined ? undefined : Number(seed),
      ...{ only, short, json, heights: heights === undefined ? HEIGHTS : Number(heights) },
    };
  } catch (error) {
    return wrong(messageOf(error));
  }
}

function isWhole(text: string, least: number, most: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most;
}

function wrong(problem: string): WrongUsage {
  return { kind: 'wrong', problem };
}
