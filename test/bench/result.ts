import type { Unit } from './direction.js';

/** One row of the table, and one entry of the JSON. */
export interface Result {
  readonly name: string;
  readonly unit: Unit;
  /** Samples that the figures are of. */
  readonly n: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** In words; null where there is none. */
  readonly goal: string | null;
  readonly met: boolean | null;
  readonly note?: string;
}

/** What a figure should be: in words, and as a test of its row. */
export interface Goal {
  readonly text: string;
  readonly met: (figures: Figures) => boolean;
}

export type Figures = Pick<Result, 'n' | 'p50' | 'p90' | 'p99' | 'max'>;

export interface Measured {
  readonly name: string;
  readonly unit: Unit;
  readonly samples: readonly number[];
  readonly goal?: Goal;
  readonly note?: string | undefined;
}

export function resultOf({ name, unit, samples, goal, note }: Measured): Result {
  const figures = figuresOf(samples);
  return {
    name,
    unit,
    ...figures,
    goal: goal?.text ?? null,
    met: goal === undefined || samples.length === 0 ? null : goal.met(figures),
    ...(note !== undefined && note !== '' && { note }),
  };
}

/** Nearest rank; all zero without samples. */
export function figuresOf(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number): number => rounded(sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0);
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

export function median(samples: readonly number[]): number {
  return figuresOf(samples).p50;
}

/** Four significant digits, so that the JSON stays readable. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
