import { parseArgs } from 'node:util';
import { messageOf } from '../../src/shared/errors.js';

/** A median of fewer ratios is one of them by chance. */
export const LEAST_PAIRS = 5;
const MOST_PAIRS = 100;
/** Of --interleaved, whose pairs are short. */
const ROUNDS = 100;
const MOST_ROUNDS = 1_000;

export const USAGE = `usage: npm run bench -- [--only ROW …] [--quick] [--json] [--profile FOLDER]
       npm run bench -- --against GITREF [--pairs N] [--only ROW …] [--quick] [--json]
       npm run bench -- --against GITREF --interleaved [--pairs N] [--only ROW …] [--json]
       npm run bench -- --compare OLD_FILE NEW_FILE`;

export interface Measure {
  readonly kind: 'measure';
  /** How the names of the wanted rows begin; [''] is all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly profile: string | undefined;
}

export interface Against {
  readonly kind: 'against';
  readonly ref: string;
  readonly pairs: number;
  /** Both builds up at once and asked in short turns, instead of whole runs one after the other. */
  readonly interleaved: boolean;
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
}

export interface Compare {
  readonly kind: 'compare';
  readonly oldFile: string;
  readonly newFile: string;
}

export interface WrongUsage {
  readonly kind: 'wrong';
  readonly problem: string;
}

/** What the command line asks for. */
export function parseOptions(args: readonly string[]): Measure | Against | Compare | WrongUsage {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        profile: { type: 'string' },
        against: { type: 'string' },
        pairs: { type: 'string' },
        interleaved: { type: 'boolean' },
        compare: { type: 'boolean' },
      },
    });
    return chosen(values, positionals);
  } catch (error) {
    return wrong(messageOf(error));
  }
}

interface Values {
  readonly only?: readonly string[];
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly profile?: string;
  readonly against?: string;
  readonly pairs?: string;
  readonly interleaved?: boolean;
  readonly compare?: boolean;
}

function chosen(values: Values, positionals: readonly string[]): Measure | Against | Compare | WrongUsage {
  if (values.compare === true) {
    const others = Object.keys(values).filter((name) => name !== 'compare');
    if (others.length > 0) return wrong(`--compare goes without --${others.join(', --')}`);
    const [oldFile, newFile, ...more] = positionals;
    if (oldFile === undefined || newFile === undefined || more.length > 0)
      return wrong(`--compare takes two files, not ${positionals.length}`);
    return { kind: 'compare', oldFile, newFile };
  }
  const [unasked] = positionals;
  if (unasked !== undefined) return wrong(`'${unasked}' belongs to no option`);
  const { only = [''], quick = false, json = false, profile, against, pairs, interleaved = false } = values;
  if (against === undefined) {
    if (pairs !== undefined) return wrong('--pairs goes with --against only');
    if (interleaved) return wrong('--interleaved goes with --against only');
    return { kind: 'measure', only, quick, json, profile };
  }
  if (against === '') return wrong('--against wants a branch, a tag or a commit');
  if (profile !== undefined) return wrong('--against goes without --profile, which slows both sides down');
  if (interleaved && quick) return wrong('--interleaved has turns of one length: --quick does not belong to it');
  const most = interleaved ? MOST_ROUNDS : MOST_PAIRS;
  const usual = interleaved ? ROUNDS : LEAST_PAIRS;
  const count = pairs === undefined ? usual : /^\d{1,4}$/.test(pairs) ? Number(pairs) : NaN;
  if (!(count >= LEAST_PAIRS && count <= most))
    return wrong(`--pairs is a whole number from ${LEAST_PAIRS} to ${most}, not '${pairs ?? ''}'`);
  return { kind: 'against', ref: against, pairs: count, interleaved, only, quick, json };
}

function wrong(problem: string): WrongUsage {
  return { kind: 'wrong', problem };
}
