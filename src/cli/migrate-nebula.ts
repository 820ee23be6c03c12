import type { Command } from 'commander';
import type { Io } from './io.js';
import { addMigrateOptions, runMigration, type MigrateOptions } from './migrate-run.js';
import * as options from './options.js';

interface NebulaOptions extends MigrateOptions {
  readonly config: string;
  readonly state?: readonly string[];
}

export function addMigrateNebulaCommand(migrate: Command, io: Io, fail: (exitCode: number) => void): void {
  const command = migrate
    .command('nebula')
    .summary('from nebula with an Ed25519 key in a file')
    .description(
      'Moves the chain of a nebula node. Reads, compares and prints the plan; with --apply it writes the folders of a new ' +
        'cluster (--out), or adds the chain to those of one that is there (--into): all of it, or nothing. The old files are ' +
        'only read. What nebula signed last in Raft mode is in a database that only nebula reads: give --rpc, --height or --state.',
    )
    .requiredOption('-c, --config <file>', 'the configuration of a node; relative paths in it begin in this folder')
    .option(
      '--state <file...>',
      'places of its nodes: {"height":H,"round":R,"step":"Precommit"}; never the initial_state_path',
    );
  addMigrateOptions(command);
  command.addHelpText(
    'after',
    options.examples(
      'hekate migrate nebula -c /etc/nebula/config.toml --rpc http://10.0.0.7:26657',
      '',
      'The same, and write it:',
      'hekate migrate nebula -c /etc/nebula/config.toml --rpc http://10.0.0.7:26657 \\',
      '  --apply --out ./cluster --threshold 2 --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001',
    ),
  );
  command.action(async (given: NebulaOptions) => {
    const { readNebula } = await import('../setup/migrate/nebula/nebula-signer.js');
    options.checkNoStandardInput(given.config, ...(given.state ?? []));
    const request = { config: given.config, states: given.state ?? [], startedIn: process.cwd() };
    await runMigration({
      ...{ given, io, fail },
      read: (group) => readNebula(group, request),
      keepIdentity: false,
      old: {
        stateFile: `{"height":H,"round":R,"step":"…"} with Proposal, Prevote or Precommit (up to 0.0.4: 32, 1 or 2)`,
        away: 'See that no node of nebula starts by itself again, and move the key away from all of them, to an offline backup',
        start:
          'start nebula (in Raft mode with that file as its initial_state_path and an empty data_path on every node)',
      },
    });
  });
}
