import { isUnit, slowerBy } from './direction.js';
import { rowOf, type ComparedRow, type Comparison, type Spread } from './pairs.js';
import type { SavedRow, SavedRun } from './saved-run.js';
import { aligned, machineLine } from './table.js';

/** What every ratio of both tables means. */
export const RATIO_LEGEND =
  '"slower by" is new / old, or old / new where more is better (votes/s, blocks/s, of FilePV): above 1 is always worse.';

const LEFT: ReadonlySet<number> = new Set([0, 1]);

/** Of runs in pairs: for each row the median of the ratios, their range, and how many of the pairs were slower. */
export function pairedTable({ rows, onlyOld, onlyNew, without }: Comparison): string {
  const head = ['row', 'unit', 'old p50', 'new p50', 'slower by', '(min … max)', 'slower in'];
  const lines = aligned([[...head, 'p99 slower by', '(min … max)', 'slower in'], ...rows.map(pairedCells)], LEFT);
  return [
    ...[RATIO_LEGEND, 'Each is the median over the pairs. p99 is for information: it needs many more votes.', ''],
    ...(rows.length === 0 ? ['No row to compare.'] : lines),
    ...listed('Only in the old tree', onlyOld),
    ...listed('Only in the new tree', onlyNew),
    ...listed(
      'Not compared',
      without.map(({ name, why }) => `${name}: ${why}`),
    ),
  ].join('\n');
}

/** How busy the machine was before each run; a benchmark by itself keeps fewer processes running than there are cores. */
export function loadLine(cores: number, loads: readonly number[]): string {
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const line = `load average before a run: ${least} … ${most}`;
  if (most <= cores) return line;
  return `${line}\nWARNING: ${cores} cores are too few for that: others use them. Ask for more --pairs, or again when it is quiet.`;
}

/** Of two saved runs, side by side. */
export function savedTable(before: SavedRun, after: SavedRun): string {
  const names = after.results.map(({ name }) => name);
  const both = names.flatMap((name) => {
    const [old, now] = [rowOf(before, name), rowOf(after, name)];
    return old === undefined || now === undefined ? [] : [savedCells(old, now)];
  });
  const head = ['row', 'unit', 'old p50', 'new p50', 'slower by', 'old p99', 'new p99', 'slower by'];
  const onlyOld = before.results.map(({ name }) => name).filter((name) => !names.includes(name));
  const onlyNew = names.filter((name) => rowOf(before, name) === undefined);
  return [
    ...[`old: ${machineLine(before.machine)}`, `new: ${machineLine(after.machine)}`],
    ...differences(before, after).map((difference) => `WARNING: ${difference}`),
    ...['', RATIO_LEGEND, 'One run of each: a few per cent, or much more on a busy machine, are chance.', ''],
    ...(both.length === 0 ? ['No row to compare.'] : aligned([head, ...both], LEFT)),
    ...listed('Only in the old run', onlyOld),
    ...listed('Only in the new run', onlyNew),
  ].join('\n');
}

/** Why two runs should not be compared, in words; empty when nothing is known against it. */
export function differences(before: SavedRun, after: SavedRun): readonly string[] {
  const [old, now] = [before.machine, after.machine];
  const facts: readonly (readonly [string, string, string])[] = [
    ['Node version', old.node, now.node],
    ['machine', machineOf(old), machineOf(now)],
    ['file system', fileSystemOf(old), fileSystemOf(now)],
  ];
  const found = facts
    .filter(([, was, is]) => was !== is)
    .map(([what, was, is]) => `another ${what}: ${was}, then ${is}`);
  const shorter = before.results.filter(({ name, n }) => {
    const other = rowOf(after, name)?.n ?? n;
    return Math.max(n, other) >= 2 * Math.min(n, other);
  });
  if (shorter.length > 0)
    found.push(`another number of samples (one with --quick?): ${shorter.map(({ name }) => name).join(', ')}`);
  return found;
}

type SavedMachine = SavedRun['machine'];

function machineOf({ cores, cpu, memoryGb, platform }: SavedMachine): string {
  return `${cores} cores (${cpu}), ${memoryGb} GB, ${platform}`;
}

/** The folder itself is another one in each run. */
function fileSystemOf({ disk }: SavedMachine): string {
  return /\(file system (.*)\)$/.exec(disk)?.[1] ?? 'unknown';
}

function pairedCells({ name, unit, oldP50, newP50, p50, p99 }: ComparedRow): readonly string[] {
  return [name, unit, shown(oldP50), shown(newP50), ...spreadCells(p50), ...spreadCells(p99)];
}

function spreadCells(spread: Spread | undefined): readonly string[] {
  if (spread === undefined) return ['', '', ''];
  const { median, min, max, worse, pairs } = spread;
  return [ratio(median), `(${ratio(min)} … ${ratio(max)})`, `${worse} of ${pairs}`];
}

function savedCells(old: SavedRow, now: SavedRow): readonly string[] {
  const by = (before: number | null, after: number | null): string => {
    if (old.unit !== now.unit || !isUnit(now.unit)) return '';
    const found = slowerBy(now.unit, before, after);
    return found === undefined ? '' : ratio(found);
  };
  const unit = old.unit === now.unit ? now.unit : `${old.unit}, ${now.unit}`;
  const figures = (['p50', 'p99'] as const).flatMap((figure) => [
    ...[shown(old[figure]), shown(now[figure])],
    by(old[figure], now[figure]),
  ]);
  return [now.name, unit, ...figures];
}

function listed(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function ratio(value: number): string {
  return value.toFixed(3);
}

/** So that 3 % can be seen of small figures, too. */
function shown(value: number | null): string {
  if (value === null) return 'none';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value === 0 ? '0' : value.toPrecision(4);
}
