import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeedResult } from './run.js';
import type { WorkerSetup } from './seed-worker.js';

const WORKER = fileURLToPath(new URL('./seed-worker.js', import.meta.url));

export interface PoolRun extends WorkerSetup {
  readonly jobs: number;
  readonly first: number;
  /** No further seed is begun once this says so. */
  readonly enough: (begun: number) => boolean;
  /** After a seed that failed, too. */
  readonly goOn?: boolean | undefined;
  readonly done: (result: SeedResult) => void;
}

/**
 * Runs seed after seed in processes of their own, until it is enough or one fails: the result is the failed seed that comes
 * first, as if they had been run one after the other.
 */
export async function runSeeds({
  jobs,
  first,
  enough,
  goOn,
  done,
  ...setup
}: PoolRun): Promise<SeedResult | undefined> {
  let next = first;
  let failed: SeedResult | undefined;
  const take = (): number | undefined =>
    (failed !== undefined && goOn !== true) || enough(next - first) ? undefined : next++;
  const note = (result: SeedResult): void => {
    done(result);
    if (result.failure !== undefined && (failed === undefined || result.seed < failed.seed)) failed = result;
  };
  await Promise.all(Array.from({ length: jobs }, () => runWorker(setup, take, note)));
  return failed;
}

function runWorker(
  setup: WorkerSetup,
  take: () => number | undefined,
  note: (result: SeedResult) => void,
): Promise<void> {
  const child = fork(WORKER, [JSON.stringify(setup)], { serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    let over = false;
    child.on('message', (message: 'ready' | SeedResult) => {
      if (message !== 'ready') note(message);
      const seed = take();
      if (seed !== undefined) return void child.send(seed);
      over = true;
      child.disconnect();
    });
    child.on('error', reject);
    child.on('exit', (code) => (over ? resolve() : reject(new Error(ended(child, code)))));
  });
}

function ended({ pid }: ChildProcess, code: number | null): string {
  return `the process ${pid} that ran seeds ended with ${code ?? 'a signal'}`;
}
