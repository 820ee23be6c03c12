import { resolve } from 'node:path';
import type { Command } from 'commander';
import { print, printJson, type Io } from './io.js';
import { checkHasChain, withLockedState } from './locked-state.js';
import { examples, parseHeight } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface RecoverOptions {
  readonly chainId: string;
  readonly height: bigint;
  readonly json?: boolean;
}

/** `waits`: what became of the wait of a cosigner that runs. */
interface Recovered {
  readonly chainId: string;
  readonly place: string;
  readonly outcome: 'waits no longer' | 'raised' | 'unchanged';
  /** Of a cosigner that runs: others whose place it does not know. */
  readonly unheard: readonly number[];
}

const HEIGHT = `
Which height: nothing at or below it is signed any more. The newest height of a node that is in step, and one more, read after
all signing had stopped, is safe whatever the cosigners have forgotten, provided that every cosigner gets it before the first
of them signs. After all hosts were restored from a backup: run it on each of them before any cosigner is started.
`;

export function addStateRecoverCommand(state: Command, io: Io): void {
  state
    .command('recover')
    .summary('let a cosigner that waits after its start sign again')
    .description(
      'A cosigner that was started signs nothing until it has heard enough of the others. Where too many of them are gone, this ' +
        'ends the wait, this time only, with a floor at the end of HEIGHT, or at the highest place that it has heard. It never ' +
        'lowers a watermark. Of a cosigner that does not run it raises the watermark, and the next start waits all the same.',
    )
    .argument('<home>', 'home of a cosigner')
    .requiredOption('--chain-id <id>', 'chain that waits')
    .requiredOption('--height <h>', 'refuse this height and everything below it', parseHeight)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `${HEIGHT}${examples('hekate state recover ./cosigner-1 --chain-id mychain-1 --height 4069467')}`,
    )
    .action(async (dir: string, given: RecoverOptions) => {
      const home = resolve(dir);
      await checkHasChain(home, given.chainId);
      const { isHekateError } = await import('../shared/errors.js');
      const done = await recoverRunning(home, given).catch((error: unknown) => {
        if (!isHekateError(error) || error.code !== 'NOT_RUNNING') throw error;
        return whileUninterrupted(() => raiseStopped(home, given));
      });
      if (given.json === true) return printJson(io, done);
      print(io, `${done.chainId}: ${done.outcome}; the watermark is ${done.place}`);
      if (done.unheard.length > 0)
        print(io, `  not asked, for they are not within reach: cosigners ${done.unheard.join(', ')}`);
      if (done.outcome !== 'waits no longer')
        print(io, '  its next start waits until it has heard the others, or until it is recovered while it runs');
    });
}

async function recoverRunning(home: string, { chainId, height }: RecoverOptions): Promise<Recovered> {
  const { askProcess } = await import('../shared/status/ask-process.js');
  const params = { chainId, height: height.toString() };
  const answer = await askProcess(home, { request: 'recover', params });
  const { place, unheard } = answer as { readonly place: string; readonly unheard: readonly number[] };
  return { chainId, place, unheard, outcome: 'waits no longer' };
}

async function raiseStopped(home: string, { chainId, height }: RecoverOptions): Promise<Recovered> {
  const { initState } = await import('../setup/state-init.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { readState } = await import('../shared/watermark/state-mark.js');
  const { compareHrs, describePlace, floorAtHeight } = await import('../shared/watermark/watermark.js');
  return withLockedState(home, chainId, async ({ path, binding }) => {
    const { watermark } = await readState(nodeDisk, path, binding);
    const start = floorAtHeight(height);
    const isAbove = compareHrs(start, watermark) > 0;
    if (isAbove) await initState(nodeDisk, { path, binding, start, replace: true, acceptRisk: false });
    const outcome = isAbove ? 'raised' : 'unchanged';
    return { chainId, place: describePlace(isAbove ? start : watermark), unheard: [], outcome };
  });
}
