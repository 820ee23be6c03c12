import { isUnit, slowerBy } from './direction.js';
import type { SavedRow, SavedRun } from './saved-run.js';

export type Side = 'old' | 'new';

/** One run of each side, one right after the other. */
export type Pair = Readonly<Record<Side, SavedRun>>;

/** Of the ratios of one figure; above 1 is worse. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In how many of the pairs new was worse. */
  readonly worse: number;
  /** Pairs in which both sides have the row. */
  readonly pairs: number;
}

export interface ComparedRow {
  readonly name: string;
  readonly unit: string;
  /** Medians over the pairs. */
  readonly oldP50: number;
  readonly newP50: number;
  readonly p50: Spread;
  readonly p99: Spread | undefined;
}

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  readonly onlyOld: readonly string[];
  readonly onlyNew: readonly string[];
  /** Rows that both sides have and that have no ratio, with the reason. */
  readonly without: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Old new, new old, old new …: whatever grows or fades over the whole time meets both sides alike, and so does being the
 * first or the second of a pair. (Always old before new would take a machine that gets slower for slower code.)
 */
export function orderOfRuns(pairs: number): readonly { readonly pair: number; readonly side: Side }[] {
  return Array.from({ length: pairs }, (_, i) => {
    const sides: readonly Side[] = i % 2 === 0 ? ['old', 'new'] : ['new', 'old'];
    return sides.map((side) => ({ pair: i + 1, side }));
  }).flat();
}

/** Undefined without ratios. Between the two in the middle it takes their geometric mean, so that 1/x has the median 1/m. */
export function spreadOf(ratios: readonly number[]): Spread | undefined {
  const sorted = [...ratios].sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const worse = sorted.filter((ratio) => ratio > 1).length;
  return { median: middleOf(sorted), min, max, worse, pairs: sorted.length };
}

/** Compares row by row, within each pair; a row that a run does not have costs that pair of this row only. */
export function comparePairs(pairs: readonly Pair[], wanted: (name: string) => boolean): Comparison {
  const names = { old: namesOf(pairs, 'old', wanted), new: namesOf(pairs, 'new', wanted) };
  const rows: ComparedRow[] = [];
  const without: { name: string; why: string }[] = [];
  for (const name of names.new.filter((one) => names.old.includes(one))) {
    const compared = compareRow(name, pairs);
    if (typeof compared === 'string') without.push({ name, why: compared });
    else rows.push(compared);
  }
  const onlyOld = names.old.filter((name) => !names.new.includes(name));
  const onlyNew = names.new.filter((name) => !names.old.includes(name));
  return { rows, onlyOld, onlyNew, without };
}

function compareRow(name: string, pairs: readonly Pair[]): ComparedRow | string {
  const both = pairs.flatMap((pair) => {
    const [before, after] = [rowOf(pair.old, name), rowOf(pair.new, name)];
    return before === undefined || after === undefined ? [] : [{ before, after }];
  });
  const [first] = both;
  if (first === undefined) return 'never in both runs of a pair';
  const { unit } = first.after;
  if (first.before.unit !== unit) return `${first.before.unit} in the old tree, ${unit} in the new one`;
  if (!isUnit(unit)) return `nobody knows whether more ${unit} are better`;
  const ratiosOf = (figure: 'p50' | 'p99'): readonly number[] =>
    both.flatMap(({ before, after }) => slowerBy(unit, before[figure], after[figure]) ?? []);
  const p50 = spreadOf(ratiosOf('p50'));
  if (p50 === undefined)
    return `no ratio: p50 is ${first.before.p50} in the old tree, ${first.after.p50} in the new one`;
  const oldP50 = middleOf(sortedP50s(both.map(({ before }) => before)));
  const newP50 = middleOf(sortedP50s(both.map(({ after }) => after)));
  return { name, unit, oldP50, newP50, p50, p99: spreadOf(ratiosOf('p99')) };
}

function sortedP50s(rows: readonly SavedRow[]): readonly number[] {
  return rows.flatMap(({ p50 }) => (p50 === null || p50 <= 0 ? [] : [p50])).sort((a, b) => a - b);
}

/** Of what is sorted, above zero and not empty. */
function middleOf(sorted: readonly number[]): number {
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN, sorted[Math.floor(sorted.length / 2)] ?? NaN];
  return low === high ? low : Math.sqrt(low * high);
}

function namesOf(pairs: readonly Pair[], side: Side, wanted: (name: string) => boolean): readonly string[] {
  return [...new Set(pairs.flatMap((pair) => pair[side].results.map(({ name }) => name)))].filter(wanted);
}

export function rowOf(run: SavedRun, name: string): SavedRow | undefined {
  return run.results.find((row) => row.name === name);
}
