import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isHekateError, type HekateError } from '../shared/errors.js';
import type { StateReport } from '../setup/state-report.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

type Shown = { readonly chainId: string; readonly path: string } & (
  { readonly report: StateReport } | { readonly error: HekateError }
);

export function addStateShowCommand(state: Command, io: Io, fail: (exitCode: number) => void): void {
  state
    .command('show')
    .summary('print the watermark of each chain')
    .description(
      'Reads the state of a cosigner without changing or locking it, also while it runs. The exit code is 1 when the state of ' +
        'a chain cannot be used.',
    )
    .argument('<home>', 'home of a cosigner, or a folder of homes')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate state show ./cluster/cosigner-1'))
    .action(async (home: string, { json }: { json?: boolean }) => {
      const homes = await findCosignerHomes(resolve(home));
      const shown = (await Promise.all(homes.map(readStates))).flat();
      if (json === true) printJson(io, shown.map(asJson));
      else for (const one of shown) print(io, ...describe(one));
      if (shown.some((one) => 'error' in one)) fail(EXIT_FAILED);
    });
}

async function findCosignerHomes(dir: string): Promise<readonly string[]> {
  const { findHomes } = await import('../setup/find-homes.js');
  const { COSIGNER_CONFIG_FILE } = await import('../shared/home/paths.js');
  return findHomes(dir, COSIGNER_CONFIG_FILE);
}

async function readStates(home: string): Promise<readonly Shown[]> {
  const { loadCosignerConfig } = await import('../shared/config/cosigner-config.js');
  const { loadGroupFile } = await import('../shared/home/group-file.js');
  const { groupFile, watermarkFile } = await import('../shared/home/paths.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { inspectState } = await import('../setup/state-report.js');
  const shown: Shown[] = [];
  for (const { id: chainId } of (await loadCosignerConfig(home)).chains) {
    const path = watermarkFile(home, chainId);
    try {
      const binding = await loadGroupFile(groupFile(home, chainId), chainId);
      shown.push({ chainId, path, report: await inspectState(nodeDisk, path, binding) });
    } catch (error) {
      if (!isHekateError(error)) throw error;
      shown.push({ chainId, path, error });
    }
  }
  return shown;
}

function asJson(shown: Shown): object {
  if ('report' in shown) return { path: shown.path, ...shown.report };
  return { path: shown.path, chainId: shown.chainId, error: shown.error.toJSON() };
}

function describe(shown: Shown): string[] {
  if ('error' in shown) return [`${shown.chainId}: ${shown.error.toLine()}`];
  const { watermark, sequence, groupPublicKey, rolledBack } = shown.report;
  return [
    `${shown.chainId}: watermark ${watermark.place}${watermark.fresh ? '; nothing signed on it yet' : ''}`,
    `  sequence ${sequence}, key ${groupPublicKey}`,
    `  ${shown.path}`,
    ...(rolledBack === null ? [] : [`  STATE_ROLLED_BACK: ${rolledBack}: the next start counts from there`]),
  ];
}
