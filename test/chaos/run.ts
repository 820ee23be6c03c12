import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/shared/errors.js';
import { Prng } from '../sim/prng.js';
import { Cleanup } from '../support/cleanup-tasks.js';
import { groundMissing, startStage, type GroundName, type Stage } from './grounds.js';
import { turnsInRound, turnsOf } from './plan.js';
import type { Outcome } from './report.js';
import { fullName, type Scenario } from './scenario.js';
import { NO_VOTES } from './vote-tally.js';

export interface ChaosRun {
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  /** Undefined: each scenario once. */
  readonly minutes: number | undefined;
  /** Progress. */
  readonly say: (line: string) => void;
  readonly onOutcome: (outcome: Outcome) => void;
  /** Ends and removes whatever is up when the run is cut off; the run itself leaves nothing. */
  readonly cleanup: Cleanup;
}

/** Longer than any fault and its mending takes on a busy machine. */
const STEP_MS = 180_000;
/** For so long this process, which asks and counts, or the machine under it may stand still without a word. */
const STILL_MS = 200;
/** Two heights of the slowest ground: the votes before the end are in final commits. */
const AFTER_MS = 1_500;

/** Grounds that cannot be had here, with the reason. */
export function missingGrounds(scenarios: readonly Scenario[]): ReadonlyMap<GroundName, string> {
  const missing = new Map<GroundName, string>();
  for (const ground of new Set(scenarios.map((scenario) => scenario.ground))) {
    const reason = groundMissing(ground);
    if (reason !== undefined) missing.set(ground, reason);
  }
  return missing;
}

/** Breaks one ground after the other; each stays up for all of its scenarios, unless one of them leaves it broken. */
export async function runChaos({ scenarios, seed, minutes, say, onOutcome, cleanup }: ChaosRun): Promise<void> {
  const untilMs = minutes === undefined ? Infinity : performance.now() + minutes * 60_000;
  const turns = turnsOf(scenarios, seed);
  const rounds = minutes === undefined ? turnsInRound(scenarios) : Infinity;
  let faults = 0;
  let stage: Open | undefined;
  const close = async (): Promise<void> => {
    await stage?.close();
    stage = undefined;
  };
  for (let turn = 0; turn < rounds && performance.now() < untilMs; turn++) {
    const { ground, steps } = turns.next().value;
    if (stage?.ground !== ground) await close();
    for (const { scenario, seed: stepSeed } of steps) {
      if (performance.now() >= untilMs) break;
      const from = performance.now();
      stage ??= await open(ground, cleanup, say).catch(() => open(ground, cleanup, say));
      const loop = monitorEventLoopDelay({ resolution: 10 });
      loop.enable();
      const outcome = await step(stage.stage, scenario, new Prng(stepSeed));
      loop.disable();
      faults += scenario.faults ?? 1;
      onOutcome(outcome);
      say(progress(outcome, performance.now() - from, faults, loop.max / 1e6));
      if (outcome.failure !== undefined) await close();
    }
  }
  await close();
}

interface Open {
  readonly ground: GroundName;
  readonly stage: Stage;
  readonly close: () => Promise<void>;
}

async function open(name: GroundName, cleanup: Cleanup, say: (line: string) => void): Promise<Open> {
  say(`starting ground '${name}' …`);
  const own = new Cleanup();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= own.run(false));
  cleanup.add(close);
  try {
    return { ground: name, stage: await startStage(name, own), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function step({ ground, hosts }: Stage, scenario: Scenario, random: Prng): Promise<Outcome> {
  const { validator, book, evidence } = ground;
  const doublesBefore = new Set(book.doubles().map(({ place }) => place));
  validator.beginCount();
  let failure: string | undefined;
  try {
    await limited(scenario.run({ ground, hosts }, random));
    await ground.settle();
    await validator.tempt();
    if (validator.ports.length > 1) await delay(AFTER_MS);
  } catch (error) {
    failure = messageOf(error);
  }
  await evidence.look();
  const counts = await validator.counts().catch(() => NO_VOTES);
  const twice = book.doubles().filter(({ place }) => !doublesBefore.has(place));
  const shown = await validator.evidence().catch(() => []);
  const doubles = [...twice.map(({ place, blocks }) => `${place}: ${blocks.join(' and ')}`), ...shown];
  return { scenario, counts, doubles, ...(failure !== undefined && { failure }) };
}

async function limited(task: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const late = delay(STEP_MS, 'late' as const, { signal: stop.signal });
  late.catch(() => undefined);
  task.catch(() => undefined);
  const first = await Promise.race([task, late]);
  stop.abort();
  if (first === 'late') throw new Error(`not over within ${STEP_MS} ms`);
}

function progress(
  { scenario, counts, doubles, failure }: Outcome,
  ms: number,
  faults: number,
  stillMs: number,
): string {
  const { asked, late, missed, longestGapMs } = counts;
  const bad = [
    ...doubles.map((double) => `DOUBLE ${double}`),
    ...(failure === undefined ? [] : [`FAILED: ${failure}`]),
    ...(stillMs < STILL_MS ? [] : [`this process itself stood still for ${(stillMs / 1_000).toFixed(2)} s`]),
  ];
  const told = `${asked} asked, ${late} late, ${missed} missed, gap ${(longestGapMs / 1_000).toFixed(2)} s`;
  return [`${faults} ${fullName(scenario)} (${(ms / 1_000).toFixed(1)} s): ${told}`, ...bad].join('; ');
}
