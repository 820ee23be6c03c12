import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import { print, printJson, type Io } from './io.js';
import { addMigrateOptions, evidenceOf, runMigration, type MigrateOptions } from './migrate-run.js';
import { EXIT_FAILED } from './exit-codes.js';
import * as options from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface HorcruxOptions extends MigrateOptions {
  readonly home?: readonly string[];
  readonly shards?: readonly string[];
  readonly points?: readonly string[];
  readonly pointsOut?: string;
  readonly shard?: boolean;
  readonly chainId?: readonly string[];
}

export function addMigrateHorcruxCommand(migrate: Command, io: Io, fail: (exitCode: number) => void): void {
  const command = migrate
    .command('horcrux')
    .summary('from Horcrux 3, with its shards as they are')
    .description(
      'Moves the chains of a Horcrux cluster. The key is never put together: each shard becomes the share of a cosigner, with ' +
        'the same number. Each may stay on its host: --points-out writes what is public of it, to be carried to the other hosts, ' +
        'and --shard with the --points of the others writes what this host needs. Or bring the homes together (--home A B C) and ' +
        'write all folders at once. Without --apply it reads, compares and prints the plan. The old files are only read.',
    )
    .option('--home <dir...>', 'homes of Horcrux: that of this host, or those of all hosts')
    .option('--shards <file...>', 'instead of --home: all CHAIN_shard.json of a dealing, with --threshold')
    .option('--points <path...>', 'public points of other hosts, or folders with them')
    .option('--points-out <dir>', 'write the public points of the shards of --home there, and nothing else')
    .option('--shard', 'with --out: write what the shards of this host become, and nothing of other hosts')
    .option('--chain-id <id...>', 'these chains (default: all)');
  addMigrateOptions(command);
  command.addHelpText(
    'after',
    options.examples(
      'On every host, once Horcrux is stopped on all of them:',
      'hekate migrate horcrux --home ~/.horcrux --points-out ./points',
      '',
      'On every host, with the points of all in one folder:',
      'hekate migrate horcrux --home ~/.horcrux --points ./points --rpc http://10.0.0.7:26657 --apply --shard --out ./parts',
      '',
      'All at once, with the homes of all hosts:',
      'hekate migrate horcrux --home host-1 host-2 host-3 --rpc http://10.0.0.7:26657 \\',
      '  --apply --out ./cluster --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001',
    ),
  );
  command.action(async (given: HorcruxOptions) => {
    const { home: homes = [], shards: shardFiles = [], points = [], chainId: chainIds, pointsOut } = given;
    options.checkNoStandardInput(...shardFiles, ...points);
    if ((homes.length === 0) === (shardFiles.length === 0))
      throw new HekateError('USAGE', 'it is not said where the shards are', { fix: 'give either --home or --shards' });
    if (pointsOut !== undefined) return await writePoints(given, homes, pointsOut, io, fail);
    const shard = given.shard === true ? { dir: shardDirOf(given) } : undefined;
    const { readHorcruxSigner } = await import('../setup/migrate/horcrux/horcrux-signer.js');
    const { pointFilesOf } = await import('../setup/migrate/horcrux/point-files.js');
    const { threshold } = given;
    const pointFiles = await pointFilesOf(points);
    const request = { homes, shardFiles, pointFiles, chainIds, threshold, startedIn: process.cwd() };
    await runMigration({
      ...{ given: await withThreshold(given, homes), io, fail, shard },
      read: (group) => readHorcruxSigner(group, request),
      keepIdentity: false,
      old: {
        stateFile: '{"height":"H","round":"R","step":S} (in single mode R without quotes)',
        away: 'See that Horcrux never starts by itself again on any host (systemctl disable --now), and move its shards away, to offline backups',
        start: 'start Horcrux on every host',
        copies: 'every copy of the shards, on every host, but offline backups',
      },
    });
  });
}

/**
 * A new cluster has the threshold of the shards, unless another is said, which is then refused by name; and without cosigners no
 * cluster is planned by it.
 */
async function withThreshold(given: HorcruxOptions, homes: readonly string[]): Promise<HorcruxOptions> {
  const [home] = homes;
  const { threshold, ...others } = given;
  if (given.cosigner === undefined && given.apply !== true) return others;
  if (threshold !== undefined || given.cosigner === undefined || home === undefined) return given;
  const { thresholdOfHome } = await import('../setup/migrate/horcrux/horcrux-host.js');
  const own = await thresholdOfHome(home);
  return own === undefined ? given : { ...given, threshold: own };
}

function shardDirOf({
  out,
  into,
  cosigner,
  listen,
  links,
  maxHeightsPerSecond,
  apply,
}: HorcruxOptions): string | undefined {
  if ([into, cosigner, listen, links, maxHeightsPerSecond].some((option) => option !== undefined))
    throw new HekateError('USAGE', '--shard writes the parts of a home that are of its shards, and no configuration', {
      fix: 'leave out --into, --cosigner, --listen, --links and --max-heights-per-second',
    });
  if (out === undefined && apply === true)
    throw new HekateError('USAGE', 'it is not said where to write', { fix: 'add --out DIR' });
  return out === undefined ? undefined : resolve(out);
}

/** What is public of the shards of this host, once it is certain that nothing signs with them any more. */
async function writePoints(
  given: HorcruxOptions,
  homes: readonly string[],
  pointsOut: string,
  io: Io,
  fail: (exitCode: number) => void,
): Promise<void> {
  const [home, other] = homes;
  if (home === undefined || other !== undefined || given.points !== undefined || given.apply === true)
    throw new HekateError('USAGE', '--points-out is for the home of this host alone', {
      fix: 'give one --home, and neither --points nor --apply',
    });
  const { readOwnPoints } = await import('../setup/migrate/horcrux/horcrux-signer.js');
  const { writePointFiles } = await import('../setup/migrate/horcrux/point-files.js');
  const { judgeStopped } = await import('../setup/migrate/stopped.js');
  const { loadGroup } = await import('../shared/frost/load-group.js');
  const group = await loadGroup();
  const read = (): ReturnType<typeof readOwnPoints> =>
    readOwnPoints(group, { home, chainIds: given.chainId, startedIn: process.cwd() });
  const evidence = await evidenceOf((await read()).signer, given, []);
  const { points, signer } = await read();
  const { proofs, unproven, refusals } = judgeStopped(signer, evidence, given.iStoppedIt === true);
  const isRefused = refusals.length > 0;
  const files = isRefused ? [] : await whileUninterrupted(() => writePointFiles(resolve(pointsOut), points));
  if (given.json === true) printJson(io, { files, proofs, unproven, refusals });
  else {
    print(
      io,
      ...signer.chains.flatMap(({ chainId, notes }) => notes.map((note) => `${chainId}: note: ${note}`)),
      ...proofs.map((proof) => `Shows that it is stopped: ${proof}`),
      ...unproven.map((what) => `Could not be proved: ${what}`),
      ...(isRefused ? ['Nothing was written.'] : files.map((file) => `Written, all of it public: ${file}`)),
      ...(isRefused ? [] : ['Carry it to the other hosts; Horcrux must not start again on this one.']),
    );
    for (const refusal of refusals) io.err(`${refusal.toLine()}\n`);
  }
  if (isRefused) fail(EXIT_FAILED);
}
