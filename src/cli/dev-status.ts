import { basename } from 'node:path';
import type { Command } from 'commander';
import type { DevStatus } from '../dev/dev-status.js';
import type { CollectedStatus } from '../setup/collect-status.js';
import { describeAbsence } from './absence.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

interface Options {
  readonly dir?: string;
  readonly chainId?: string;
  readonly json?: boolean;
}

/** Below `hekate dev`, whose --dir, --chain-id and --json it shares. */
export function addDevStatusCommand(dev: Command, io: Io, fail: (exitCode: number) => void): void {
  dev
    .command('status')
    .summary('process ids of the local cluster')
    .description(
      'Which processes of the local cluster run, and as what process ids. Takes --dir, --chain-id and --json of `hekate dev`. ' +
        'The exit code is 1 when one of them does not run. More about each: `hekate status .dev/CHAIN`.',
    )
    .addHelpText('after', examples('hekate dev status', 'hekate dev status --json | jq .'))
    .action(async (_given: unknown, command: Command) => {
      const { dir, chainId, json } = command.optsWithGlobals<Options>();
      const { devStatus } = await import('../dev/dev-status.js');
      const clusters = await devStatus(dir, chainId);
      if (json === true) printJson(io, clusters);
      else print(io, ...clusters.flatMap(describe));
      if (clusters.some(({ pid, processes }) => pid === null || processes.some(({ running }) => !running)))
        fail(EXIT_FAILED);
    });
}

function describe({ chainId, dir, pid, processes }: DevStatus): string[] {
  const by = pid === null ? 'no `hekate dev` runs it' : `run by process ${pid}`;
  return [`${chainId} in ${dir}: ${by}`, ...processes.map((one) => `  ${basename(one.home)}: ${state(one)}`)];
}

function state(one: CollectedStatus): string {
  if (!one.running) return describeAbsence(one);
  const { status } = one;
  return `process ${status.pid}${status.kind === 'sentry-link' && status.leading ? ', leads' : ''}`;
}
