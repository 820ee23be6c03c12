import type { Machine } from './machine.js';
import type { Result } from './result.js';

const COLUMNS = ['figure', 'unit', 'n', 'p50', 'p90', 'p99', 'max', 'goal', ''] as const;
/** The name, and what is read as text; numbers go to the right. */
const LEFT: ReadonlySet<number> = new Set([0, 1, 7, 8]);

export function machineLine(machine: Machine): string {
  const { node, cores, cpu, memoryGb, disk, load } = machine;
  return `Node ${node}, ${cores} cores (${cpu}), ${memoryGb} GB, state on ${disk}; load average ${load} before the run`;
}

export function table(results: readonly Result[]): string {
  const lines = aligned([COLUMNS, ...results.map(cells)], LEFT);
  const notes = results.flatMap(({ name, note }) => (note === undefined ? [] : [`  ${name}: ${note}`]));
  return [...lines, '', ...(notes.length === 0 ? [] : ['Notes', ...notes])].join('\n');
}

/** One line for each row; `left` are the columns that begin at the left. */
export function aligned(rows: readonly (readonly string[])[], left: ReadonlySet<number>): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const padded = (cell: string, column: number): string =>
    left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('  ').trimEnd());
}

function cells({ name, unit, n, p50, p90, p99, max, goal, met }: Result): string[] {
  const verdict = met === null ? '' : met ? 'met' : 'MISSED';
  return [name, unit, String(n), ...[p50, p90, p99, max].map(shown), goal ?? '', verdict];
}

function shown(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value.toFixed(2);
}
