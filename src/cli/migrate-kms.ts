import type { Command } from 'commander';
import type { Io } from './io.js';
import { addMigrateOptions, runMigration, type MigrateOptions } from './migrate-run.js';
import * as options from './options.js';

interface KmsOptions extends MigrateOptions {
  readonly home: string;
  readonly chainId?: readonly string[];
  readonly keepIdentity?: boolean;
}

export function addMigrateKmsCommand(migrate: Command, io: Io, fail: (exitCode: number) => void): void {
  const command = migrate
    .command('kms')
    .summary('from cosmos/kms 0.1 with keys in files')
    .description(
      'Moves the chains of a kms.yaml. Reads, compares and prints the plan; with --apply it writes the folders of a new cluster ' +
        '(--out), or adds the chains to those of one that is there (--into): all of it, or nothing. The old files are only read.',
    )
    .requiredOption('--home <dir>', 'the --home of kms, with its kms.yaml')
    .option('--chain-id <id...>', 'these chains of it (default: all)')
    .option('--keep-identity', 'sentry-links of the new cluster show nodes the key that kms shows them');
  addMigrateOptions(command);
  command.addHelpText(
    'after',
    options.examples(
      'hekate migrate kms --home /var/lib/kms --rpc http://10.0.0.7:26657',
      '',
      'The same, and write it:',
      'hekate migrate kms --home /var/lib/kms --rpc http://10.0.0.7:26657 \\',
      '  --apply --out ./cluster --threshold 2 --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001',
    ),
  );
  command.action(async (given: KmsOptions) => {
    const { readKms } = await import('../setup/migrate/kms/kms-signer.js');
    const keepIdentity = given.keepIdentity === true;
    const request = { home: given.home, chainIds: given.chainId, keepIdentity };
    await runMigration({
      ...{ given, io, fail, keepIdentity },
      read: (group) => readKms(group, request),
      old: {
        stateFile: `{"height":"H","round":R,"step":S}`,
        away: 'See that kms never starts by itself again, and move its keys away, to an offline backup',
        start: 'start kms',
      },
    });
  });
}
