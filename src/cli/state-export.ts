import { resolve } from 'node:path';
import type { Command } from 'commander';
import { printJson, type Io } from './io.js';
import { checkHasChain } from './locked-state.js';
import { examples } from './options.js';

export function addStateExportCommand(state: Command, io: Io): void {
  state
    .command('export')
    .summary('print a watermark as JSON')
    .description(
      'Prints the watermark of one chain as JSON: chain id, public key, height, round, step and sign bytes. Nothing is changed ' +
        'or locked. Of a cosigner that runs it is what was signed by now, and the next vote is above it: stop it first where ' +
        'the watermark is to be taken somewhere else.',
    )
    .argument('<home>', 'home of a cosigner')
    .requiredOption('--chain-id <id>', 'chain whose watermark it is')
    .addHelpText('after', examples('hekate state export ./cosigner-1 --chain-id mychain-1 > watermark.json'))
    .action(async (dir: string, { chainId }: { chainId: string }) => {
      const home = resolve(dir);
      const { loadGroupFile } = await import('../shared/home/group-file.js');
      const { groupFile, watermarkFile } = await import('../shared/home/paths.js');
      const { nodeDisk } = await import('../shared/ports/node-disk.js');
      const { readState } = await import('../shared/watermark/state-mark.js');
      const { exportState } = await import('../setup/state-json.js');
      await checkHasChain(home, chainId);
      const binding = await loadGroupFile(groupFile(home, chainId), chainId);
      const { watermark } = await readState(nodeDisk, watermarkFile(home, chainId), binding);
      printJson(io, exportState(binding, watermark));
    });
}
