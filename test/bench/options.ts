import { parseArgs } from 'node:util';
import { messageOf } from '../../src/shared/errors.js';

/** A median of fewer ratios is one of them by chance. */
export const LEAST_PAIRS = 5;
const MOST_PAIRS = 100;

export const USAGE = `usage: npm run bench -- [--only ROW …] [--quick] [--json] [--profile FOLDER]
       npm run bench -- --against GITREF [--pairs N] [--only ROW …] [--quick] [--json]
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
  const { only = [''], quick = false, json = false, profile, against, pairs } = values;
  if (against === undefined) {
    if (pairs !== undefined) return wrong('--pairs goes with --against only');
    return { kind: 'measure', only, quick, json, profile };
  }
  if (against === '') return wrong('--against wants a branch, a tag or a commit');
  if (profile !== undefined) return wrong('--against goes without --profile, which slows both sides down');
  const count = pairs === undefined ? LEAST_PAIRS : /^\d{1,3}$/.test(pairs) ? Number(pairs) : NaN;
  if (!(count >= LEAST_PAIRS && count <= MOST_PAIRS))
    return wrong(`--pairs is a whole number from ${LEAST_PAIRS} to ${MOST_PAIRS}, not '${pairs ?? ''}'`);
  return { kind: 'against', ref: against, pairs: count, only, quick, json };
}

function wrong(problem: string): WrongUsage {
  return { kind: 'wrong', problem };
}
