import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import type { FileSignerRequest } from '../setup/migrate/file/file-signer.js';
import type { Io } from './io.js';
import { addMigrateOptions, runMigration, type MigrateOptions } from './migrate-run.js';
import * as options from './options.js';

interface FileOptions extends MigrateOptions {
  readonly chainId: string;
  readonly home?: string;
  readonly key?: string;
  readonly state?: string;
}

export function addMigrateFileCommand(migrate: Command, io: Io, fail: (exitCode: number) => void): void {
  const command = migrate
    .command('file')
    .summary('from the key file of a node that signs by itself')
    .description(
      'Moves the key of a node that signs by itself. Reads, compares and prints the plan; with --apply it writes the folders ' +
        'of a new cluster (--out), or adds the chain to those of one that is there (--into): all of it, or nothing. The old ' +
        'files are only read.',
    )
    .requiredOption('--chain-id <id>', 'chain id, as in genesis.json')
    .option('--home <dir>', 'home of the node: config/priv_validator_key.json and data/priv_validator_state.json')
    .option('--key <file>', 'instead of --home: the priv_validator_key.json')
    .option('--state <file>', 'and the priv_validator_state.json');
  addMigrateOptions(command);
  command.addHelpText(
    'after',
    options.examples(
      'hekate migrate file --home ~/.sekaid --chain-id mychain-1 --node tcp://10.0.0.5:26659 --rpc http://10.0.0.7:26657',
      '',
      'The same, and write it:',
      'hekate migrate file --home ~/.sekaid --chain-id mychain-1 --node tcp://10.0.0.5:26659 --rpc http://10.0.0.7:26657 \\',
      '  --apply --out ./cluster --threshold 2 --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001',
    ),
  );
  command.action(async (given: FileOptions) => {
    const { filesOfHome, readFileSigner } = await import('../setup/migrate/file/file-signer.js');
    const { home, key, state, chainId } = given;
    if ((home === undefined) === (key === undefined) || (home !== undefined && state !== undefined))
      throw new HekateError('USAGE', 'it is not said where the key is', {
        fix: 'give either --home, or --key with --state',
      });
    options.checkNoStandardInput(key, state);
    const request: FileSignerRequest =
      home === undefined ? { chainId, keyFile: key ?? '', stateFile: state } : { chainId, ...filesOfHome(home) };
    await runMigration({
      ...{ given, io, fail },
      read: (group) => readFileSigner(group, request),
      keepIdentity: false,
      old: {
        stateFile: `{"height":"H","round":R,"step":S}`,
        away: "Move the key file away from the node's host, to an offline backup, before the node starts again",
        start: 'put the key file back, empty priv_validator_laddr of the node, and start it',
      },
    });
  });
}
