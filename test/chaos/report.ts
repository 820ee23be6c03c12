import { aligned } from '../bench/table.js';
import { fullName, type Scenario } from './scenario.js';
import { NO_VOTES, sumOf, type VoteCounts } from './vote-tally.js';

/** One row of the table, and one entry of the JSON. */
export interface ChaosResult extends VoteCounts {
  readonly name: string;
  readonly what: string;
  readonly faults: number;
  /** Places with signatures for different blocks, and evidence in blocks. */
  readonly doubles: number;
  /** What the table asks for, in words. */
  readonly goal: string;
  /** Null where there is no goal. */
  readonly met: boolean | null;
  /** Why the run fails over this row. */
  readonly problems: readonly string[];
}

/** What one run of a scenario came to. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly counts: VoteCounts;
  readonly doubles: readonly string[];
  /** Signing did not go on, or a fault could not be injected. */
  readonly failure?: string;
}

/** The same scenario, however often it ran, is one row. */
export function resultsOf(outcomes: readonly Outcome[]): readonly ChaosResult[] {
  const byName = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const name = fullName(outcome.scenario);
    byName.set(name, [...(byName.get(name) ?? []), outcome]);
  }
  return [...byName].map(([name, runs]) => resultOf(name, runs));
}

function resultOf(name: string, runs: readonly Outcome[]): ChaosResult {
  const { scenario } = runs[0]!;
  const { goal, mayMiss, what, faults = 1 } = scenario;
  const counts = runs.map((run) => run.counts).reduce(sumOf, NO_VOTES);
  const problems = runs.flatMap(({ counts: { missed }, doubles, failure }) => [
    ...doubles.map((double) => `double: ${double}`),
    ...(missed > mayMiss ? [`${missed} votes missed, ${mayMiss} allowed`] : []),
    ...(failure === undefined ? [] : [failure]),
  ]);
  const { gapMs = Infinity, lateOrMissed = Infinity } = goal;
  const isMet = ({ counts: { late, missed, longestGapMs } }: Outcome): boolean =>
    missed <= goal.missed && late + missed <= lateOrMissed && longestGapMs <= gapMs;
  return {
    ...{ name, what, faults: faults * runs.length, ...counts },
    doubles: runs.reduce((sum, run) => sum + run.doubles.length, 0),
    goal: goalText(scenario),
    met: hasGoal(scenario) ? runs.every(isMet) && problems.length === 0 : null,
    problems,
  };
}

function hasGoal({ goal }: Scenario): boolean {
  return goal.missed !== Infinity || goal.gapMs !== undefined;
}

function goalText(scenario: Scenario): string {
  const { gapMs, missed, lateOrMissed } = scenario.goal;
  if (!hasGoal(scenario)) return '';
  const most = (count: number, what: string): string => (count === 0 ? `0 ${what}` : `<= ${count} ${what}`);
  const ofMissed = missed === Infinity ? [] : [most(missed, 'missed')];
  const votes = lateOrMissed === undefined ? ofMissed : [most(lateOrMissed, 'late or missed')];
  return [...(gapMs === undefined ? [] : [`<= ${gapMs / 1_000} s`]), ...votes].join(', ');
}

const COLUMNS = [
  ...['scenario', 'faults', 'asked', 'signed', 'late', 'missed', 'lost', 'longest gap', 'doubles', 'goal', '', 'what'],
] as const;
/** Text; numbers go to the right. */
const LEFT: ReadonlySet<number> = new Set([0, 9, 10, 11]);

export function table(results: readonly ChaosResult[]): string {
  const lines = aligned([COLUMNS, ...results.map(cells)], LEFT);
  const problems = results.flatMap(({ name, problems: all }) => all.map((problem) => `  ${name}: ${problem}`));
  return [...lines, '', totals(results), ...(problems.length === 0 ? [] : ['', 'Problems', ...problems])].join('\n');
}

function cells(result: ChaosResult): string[] {
  const { name, faults, asked, signed, late, missed, lost, longestGapMs, doubles, goal, met, what, problems } = result;
  const verdict = problems.length > 0 ? 'FAILED' : met === null ? '' : met ? 'met' : 'missed';
  const numbers = [faults, asked, signed, late, missed, lost].map(String);
  return [name, ...numbers, `${(longestGapMs / 1_000).toFixed(2)} s`, String(doubles), goal, verdict, what];
}

function totals(results: readonly ChaosResult[]): string {
  const sum = (of: (result: ChaosResult) => number): number => results.reduce((all, result) => all + of(result), 0);
  return (
    `${sum(({ faults }) => faults)} faults, ${sum(({ asked }) => asked)} votes asked, ${sum(({ signed }) => signed)} signed, ` +
    `${sum(({ late }) => late)} late, ${sum(({ missed }) => missed)} missed, ${sum(({ doubles }) => doubles)} doubles; ` +
    `${results.filter(({ met }) => met === false).length} goals missed`
  );
}

export function jsonLine(
  results: readonly ChaosResult[],
  run: { readonly seed: number; readonly minutes: number },
): string {
  return JSON.stringify({
    results: results.map(({ name, asked, signed, late, missed, longestGapMs, doubles, ...rest }) => ({
      ...{ name, asked, signed, late, missed, longestGapMs, doubles },
      ...rest,
    })),
    ...run,
  });
}

export function failed(results: readonly ChaosResult[]): boolean {
  return results.some(({ problems }) => problems.length > 0);
}
