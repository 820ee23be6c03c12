import { resolve } from 'node:path';
import type { Command } from 'commander';
import { print, printJson, type Io } from './io.js';
import * as options from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface AddOptions extends options.StartOptions {
  readonly home: string;
  readonly group: string;
  readonly share?: string;
  readonly node?: readonly string[];
  readonly maxHeightsPerSecond?: number;
  readonly json?: boolean;
}

export function addChainCommand(program: Command, io: Io): void {
  const chain = program
    .command('chain')
    .description('Chains of a cluster that is there, home by home.')
    .addHelpText('after', options.examples('hekate chain add --help'));
  const command = chain
    .command('add')
    .summary('add a chain to one home')
    .description(
      'Adds a chain to the home of a cosigner, with its group.json and its own share, or of a sentry-link, with group.json ' +
        'alone, from what `hekate keys split` or `hekate init` made. All of it or nothing. The shares never come together again, ' +
        'and the state of other chains is not touched.',
    )
    .requiredOption('--home <dir>', 'home of a cosigner or sentry-link')
    .requiredOption('--group <file>', 'group.json of the chain, the same for every home')
    .option('--share <file>', 'share.key of this cosigner')
    .option('--node <addr...>', "of a sentry-link: priv_validator_laddr of the chain's nodes")
    .option(
      '--max-heights-per-second <n>',
      'what a cosigner signs of this chain at most; 0 for any (default: 3)',
      options.parseHeightsPerSecond,
    )
    .option('--json', 'print JSON');
  options
    .addStartOptions(command)
    .addHelpText(
      'after',
      options.examples(
        'hekate chain add --home cosigner-1 --group group.json --share share.key --height 4069466',
        'hekate chain add --home sentry-link-1 --group group.json --node tcp://10.0.0.6:26659',
      ),
    )
    .action((given: AddOptions) => add(given, io));
}

async function add(given: AddOptions, io: Io): Promise<void> {
  const { loadGroupFile } = await import('../shared/home/group-file.js');
  const { loadGroup } = await import('../shared/frost/load-group.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { systemWallSecond } = await import('../shared/ports/clock.js');
  const { chooseStart } = await import('../setup/watermark-start.js');
  const { addChainTo } = await import('../setup/chains/add-chain.js');
  const info = await loadGroupFile(resolve(given.group));
  const { chainId, groupPublicKey } = info;
  const inputs = await options.readStart(given, chainId);
  const start = chooseStart(inputs, { publicKey: groupPublicKey }, systemWallSecond());
  const { node: nodes = [], maxHeightsPerSecond } = given;
  const share = given.share === undefined ? undefined : resolve(given.share);
  const deps = { disk: nodeDisk, group: await loadGroup() };
  const request = { info, share, start, nodes, maxHeightsPerSecond };
  const added = await whileUninterrupted(() => addChainTo(resolve(given.home), request, deps));
  if (given.json === true) return printJson(io, added);
  const isNew = added.outcome === 'added';
  print(
    io,
    `${isNew ? 'Added' : 'Added already:'} chain ${chainId}, ${info.threshold} of ${info.count}, to ${added.name}.`,
    ...(isNew ? ['It counts from the next start of this process on.'] : []),
    ...(share === undefined ? [] : [`Delete ${given.share ?? ''}: the home has its own.`]),
  );
}
