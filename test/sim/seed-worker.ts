import { register } from 'node:module';
import { changesOf, type Break } from './breaks.js';
import type { FaultName } from './faults.js';

/** What a worker is started with, as its one argument. */
export interface WorkerSetup {
  readonly faults: readonly FaultName[];
  readonly broken?: Break | undefined;
}

/** Before anything of production is loaded: what is loaded then has the changes in it. */
async function work({ faults, broken }: WorkerSetup): Promise<void> {
  const changes = broken === undefined ? [] : changesOf(broken);
  if (changes.length > 0) register('./mutation-hooks.js', { parentURL: import.meta.url, data: changes });
  const { runSeed } = await import('./run.js');
  const { loadGroup } = await import('../../src/shared/frost/load-group.js');
  const group = await loadGroup();
  process.on('message', (seed: number) => {
    void runSeed(seed, group, { faults, broken }).then((result) => process.send?.(result));
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

await work(JSON.parse(process.argv[2] ?? '{}') as WorkerSetup);
