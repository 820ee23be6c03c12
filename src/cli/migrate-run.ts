import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Group } from '../shared/frost/group.js';
import { HekateError } from '../shared/errors.js';
import type { Applied, Target } from '../setup/migrate/apply.js';
import type { AskedShape, ClusterPlan } from '../setup/init/request.js';
import type { ShardHomes } from '../setup/migrate/horcrux/shard-home.js';
import type { AnyOldSigner } from '../setup/migrate/old-signer.js';
import type { Asked, MigrationPlan } from '../setup/migrate/plan.js';
import type { Evidence } from '../setup/migrate/stopped.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, warn, type Io } from './io.js';
import * as migrateText from './migrate-text.js';
import * as options from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

/** What every `hekate migrate` takes. */
export interface MigrateOptions {
  readonly apply?: boolean;
  readonly out?: string;
  readonly into?: string;
  readonly threshold?: number;
  readonly cosigner?: readonly string[];
  readonly listen?: readonly string[];
  readonly links?: number;
  readonly maxHeightsPerSecond?: number;
  readonly node?: readonly string[];
  readonly rpc?: readonly string[];
  readonly height?: bigint;
  readonly neverSigned?: boolean;
  readonly validator?: readonly string[];
  readonly watch: number;
  readonly iStoppedIt?: boolean;
  readonly json?: boolean;
}

export interface Migration {
  readonly given: MigrateOptions;
  readonly io: Io;
  readonly fail: (exitCode: number) => void;
  /** Reads the old signer; called again after it was watched. */
  readonly read: (group: Group) => Promise<AnyOldSigner>;
  readonly keepIdentity: boolean;
  /** Only what the shards of this host become is written, into this folder once it is said. */
  readonly shard?: { readonly dir: string | undefined } | undefined;
  readonly old: migrateText.OldWays;
}

const WATCH_SECONDS = 10;
const MAX_WATCH_SECONDS = 600;

export function addMigrateOptions(command: Command): Command {
  return command
    .option(
      '--node <addr...>',
      'priv_validator_laddr of the nodes as sentry-links reach them, instead of what is found',
    )
    .option('--rpc <url...>', 'RPC of nodes of the chain, asked how far it is and whether the key signs')
    .addOption(
      new Option('--height <h>', 'refuse this height and everything below it; never lowers what is found').argParser(
        options.parseHeight,
      ),
    )
    .option('--never-signed', 'this key certainly never signed on this chain')
    .option('--validator <address...>', 'hex address of the validator: the key has to be its')
    .addOption(
      new Option('--watch <seconds>', 'how long state files are watched; a chain up to three times as long')
        .argParser(parseWatch)
        .default(WATCH_SECONDS),
    )
    .option('--i-stopped-it', 'the old signer is stopped for good; counts only where nothing can be asked')
    .option('--apply', 'write it')
    .option('--out <dir>', 'folder of a new cluster')
    .option('--into <cluster>', 'folder that holds the folders of all processes of a cluster')
    .option(
      '--threshold <t>',
      'of a new cluster: cosigners that a signature needs; more than half',
      options.parseWholeNumber,
    )
    .option('--cosigner <host:port...>', 'of a new cluster: where sentry-links reach each cosigner, in order')
    .option('--listen <host:port...>', 'where each cosigner listens, if links reach it by another address')
    .option(
      '--links <n>',
      'sentry-links of a new cluster (default: one for each cosigner, at most 3)',
      options.parseWholeNumber,
    )
    .option(
      '--max-heights-per-second <n>',
      'what cosigners sign of this chain at most, well above what it makes; 0 for any (default: 3)',
      options.parseHeightsPerSecond,
    )
    .option('--json', 'print the plan, and what was written, as JSON');
}

function parseWatch(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= 1 && seconds <= MAX_WATCH_SECONDS))
    throw new InvalidArgumentError(`It is not a number of seconds from 1 to ${MAX_WATCH_SECONDS}.`);
  return seconds;
}

/** Upper-case. Throws USAGE. */
export function validatorsOf({ validator = [] }: MigrateOptions): readonly string[] {
  const stranger = validator.find((address) => !/^[0-9a-fA-F]{40}$/.test(address));
  if (stranger !== undefined)
    throw new HekateError('USAGE', `${JSON.stringify(stranger)} is not the address of a validator`, {
      fix: 'give its 40 hex digits, as in priv_validator_key.json and /validators',
    });
  return validator.map((address) => address.toUpperCase());
}

/** Reads, asks, plans; writes where that was asked for and nothing stands against it. */
export async function runMigration(migration: Migration): Promise<void> {
  const { given, io, fail, read } = migration;
  const { wipeOldSigner } = await import('../setup/migrate/old-signer.js');
  const { planMigration } = await import('../setup/migrate/plan.js');
  const { loadGroup } = await import('../shared/frost/load-group.js');
  const { systemWallSecond } = await import('../shared/ports/clock.js');
  const { shard } = migration;
  const asked = { ...(await askedOf(given, systemWallSecond)), withoutNodes: shard !== undefined };
  const target = shard === undefined ? await targetOf(migration) : undefined;
  const group = await loadGroup();
  const before = await read(group);
  const evidence = await evidenceOf(before, given, asked.nodes ?? []).finally(() => wipeOldSigner(before));
  // Again: what it signed until now counts.
  const old = await read(group);
  try {
    const plan = planMigration(old, evidence, asked);
    const isRefused = plan.refusals.length > 0;
    const isApplied = given.apply === true && !isRefused;
    const shards = isApplied && shard?.dir !== undefined ? await writeShards(plan, shard.dir) : undefined;
    const applied = isApplied && shard === undefined ? await apply(plan, target, old, given) : undefined;
    const dir = shard?.dir === undefined ? target : { kind: 'shard' as const, dir: shard.dir };
    if (given.json === true) printJson(io, migrateText.asJson(plan, dir, applied ?? shards));
    else {
      print(io, ...migrateText.describePlan(plan, dir));
      if (applied !== undefined) print(io, '', ...migrateText.describeApplied(plan, target, applied, migration.old));
      else if (shards !== undefined) print(io, '', ...migrateText.describeShards(plan, shards, migration.old));
      else if (!isRefused) print(io, '', ...migrateText.WAYS_ON);
      for (const refusal of plan.refusals) io.err(`${refusal.toLine()}\n`);
    }
    if (isRefused) fail(EXIT_FAILED);
  } finally {
    wipeOldSigner(old);
  }

  async function writeShards(made: MigrationPlan, into: string): Promise<ShardHomes> {
    const { writeShardHomes } = await import('../setup/migrate/horcrux/shard-home.js');
    const { nodeDisk } = await import('../shared/ports/node-disk.js');
    const { systemRandom } = await import('../shared/ports/random.js');
    return whileUninterrupted(() => writeShardHomes(made, into, { disk: nodeDisk, random: systemRandom }));
  }

  async function apply(
    made: MigrationPlan,
    to: Target | undefined,
    signer: AnyOldSigner,
    { maxHeightsPerSecond }: MigrateOptions,
  ): Promise<Applied> {
    const { applyMigration } = await import('../setup/migrate/apply.js');
    const { nodeDisk } = await import('../shared/ports/node-disk.js');
    const { systemRandom } = await import('../shared/ports/random.js');
    if (to === undefined) throw noTarget();
    const request = { target: to, maxHeightsPerSecond, identitySeed: signer.identitySeed };
    const applied = await whileUninterrupted(() =>
      applyMigration(made, request, { disk: nodeDisk, random: systemRandom }),
    );
    if (applied.written.length === 0)
      warn(io, `nothing was written: ${applied.there.join(', ')} was there already, with the same key`);
    return applied;
  }
}

/** What this host, its state files and the chains show of an old signer. */
export async function evidenceOf(
  old: AnyOldSigner,
  { rpc = [], watch }: MigrateOptions,
  nodes: readonly string[],
): Promise<Evidence> {
  const { gatherEvidence } = await import('../setup/migrate/evidence.js');
  const { connectRpc } = await import('../setup/migrate/rpc.js');
  const { systemClock, systemWallSecond } = await import('../shared/ports/clock.js');
  const pause = { nowMs: () => systemClock.nowMs(), sleep: (ms: number) => sleep(ms) };
  const rpcs = rpc.map((url) => connectRpc(url));
  return gatherEvidence(old, { nodes, rpcs, watchMs: watch * 1000, proc: '/proc' }, pause, systemWallSecond);
}

async function askedOf(given: MigrateOptions, wallSecond: () => number): Promise<Asked> {
  const { parseNodeAddress } = await import('../shared/config/node-address.js');
  return {
    nodes: given.node?.map((node) => parseNodeAddress(node).text),
    validators: validatorsOf(given),
    stoppedByWord: given.iStoppedIt === true,
    height: given.height,
    neverSigned: given.neverSigned === true,
    nowSecond: wallSecond(),
  };
}

/** Where to, as far as it was said; without --apply that is not needed. Throws USAGE and THRESHOLD_UNSAFE. */
async function targetOf({ given, keepIdentity }: Migration): Promise<Target | undefined> {
  const { out, into, apply, threshold, cosigner, listen, links } = given;
  if (out !== undefined && into !== undefined)
    throw new HekateError('USAGE', '--out and --into were both given', {
      fix: 'make a new cluster, or add to one that is there',
    });
  if (into !== undefined) {
    if ([threshold, cosigner, listen, links].some((option) => option !== undefined))
      throw new HekateError('USAGE', 'the cluster that is added to has its threshold, cosigners and links', {
        fix: 'leave out --threshold, --cosigner, --listen and --links',
      });
    if (keepIdentity)
      throw new HekateError('USAGE', 'the sentry-links of the cluster that is added to have their identities', {
        fix: 'leave out --keep-identity',
      });
    return { kind: 'into', dir: resolve(into) };
  }
  const shape = await shapeOf({ given, isNeeded: apply === true && out !== undefined });
  if (out !== undefined && shape !== undefined) return { kind: 'new', dir: resolve(out), shape };
  if (apply === true) throw noTarget();
  return undefined;
}

async function shapeOf({
  given,
  isNeeded,
}: {
  given: MigrateOptions;
  isNeeded: boolean;
}): Promise<ClusterPlan | undefined> {
  const { threshold, links, cosigner, listen } = given;
  if (!isNeeded && [threshold, cosigner, listen, links].every((option) => option === undefined)) return undefined;
  const { planCluster } = await import('../setup/init/request.js');
  const asked: AskedShape = {
    ...{ threshold, links },
    cosigners: cosigner && (await Promise.all(cosigner.map(options.parseAddress))),
    listen: listen && (await Promise.all(listen.map(options.parseAddress))),
  };
  return planCluster(asked);
}

function noTarget(): HekateError {
  return new HekateError('USAGE', 'it is not said where to write', {
    fix: 'add --out DIR with --threshold and --cosigner, or --into CLUSTER',
  });
}
