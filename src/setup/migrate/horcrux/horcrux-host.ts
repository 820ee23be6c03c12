import { promises as fsp } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { chainIdProblem } from '../../../shared/config/chain-id.js';
import { FIXES } from '../../../shared/error-codes.js';
import { HekateError, isHekateError, messageOf } from '../../../shared/errors.js';
import type { Group } from '../../../shared/frost/group.js';
import { readPrivateFile } from '../../../shared/home/private-file.js';
import { accessDenied } from '../../../shared/ports/access-denied.js';
import { exists } from '../../durable-files.js';
import type { FilePvState } from '../../file-pv.js';
import { readFileSigner } from '../file/file-signer.js';
import { notesOnAccess, withKeyFile } from '../key-source.js';
import { wipeOldSigner, type OldChain, type OldSigner, type Traces } from '../old-signer.js';
import { parseHorcruxConfig, type HorcruxConfig } from './horcrux-config.js';
import { higherState, parseHorcruxState, type HorcruxStateKind } from './horcrux-state.js';
import { parseShard, wipeShard, type Shard } from './shard.js';
import type { ShardPoint } from './shard-point.js';

export interface HorcruxRequest {
  readonly home: string;
  /** Undefined: every chain that the home has a key of. */
  readonly chainIds: readonly string[] | undefined;
  /** Folder that Horcrux is started in: a relative keyDir begins there. */
  readonly startedIn: string;
}

/** The shards of one host, and where it has signed. Secret: wipe it with `wipeHost`. */
export interface HorcruxHost {
  readonly home: string;
  readonly threshold: number;
  readonly count: number;
  readonly chains: readonly ShardOfChain[];
  readonly notes: readonly string[];
  readonly traces: Traces;
}

export interface ShardOfChain {
  readonly chainId: string;
  readonly shard: Shard;
  readonly shardFile: string;
  /** The highest place in its state files; undefined where none knows any. */
  readonly state: FilePvState | undefined;
  /** Those that are there, the one with that place first. */
  readonly stateFiles: readonly string[];
  /** Undefined where the configuration does not say which of its nodes are of this chain. */
  readonly nodes: readonly string[] | undefined;
  readonly notes: readonly string[];
}

const CONFIG_FILE = 'config.yaml';
const MAX_CONFIG_BYTES = 256 * 1024;
const MAX_STATE_BYTES = 64 * 1024;
const SHARD_SUFFIX = '_shard.json';
const KEY_SUFFIX = '_priv_validator_key.json';
const STATE_FILES: readonly (readonly [HorcruxStateKind, string])[] = [
  ['cluster', '_priv_validator_state.json'],
  ['share', '_share_sign_state.json'],
];

/**
 * A home of Horcrux 3 as it is on one host: in threshold mode with its shards, which stay what they are, in single mode with whole
 * keys. Throws USAGE, OLD_CONFIG_INVALID, SHARD_INVALID, KEY_INVALID, KEY_TYPE_UNSUPPORTED, STATE_IMPORT_INVALID or ACCESS_DENIED.
 */
export async function readHorcrux(group: Group, request: HorcruxRequest): Promise<HorcruxHost | OldSigner> {
  const home = resolve(request.home);
  const file = join(home, CONFIG_FILE);
  const config = parseHorcruxConfig(file, await readConfig(file));
  return config.cluster === undefined
    ? readSingle(group, home, config, request)
    : readShards(group, home, config, config.cluster.threshold, config.cluster.cosigners.length, request);
}

/** As its configuration has it; undefined in single mode. Throws OLD_CONFIG_INVALID or ACCESS_DENIED. */
export async function thresholdOfHome(home: string): Promise<number | undefined> {
  const file = join(resolve(home), CONFIG_FILE);
  return parseHorcruxConfig(file, await readConfig(file)).cluster?.threshold;
}

export function isHorcruxHost(found: HorcruxHost | OldSigner): found is HorcruxHost {
  return 'threshold' in found;
}

export function wipeHost({ chains }: HorcruxHost): void {
  for (const { shard } of chains) wipeShard(shard);
}

/** What this host gives to be carried to the others. */
export function pointOfChain({ threshold, count }: HorcruxHost, { chainId, shard, state }: ShardOfChain): ShardPoint {
  const { id, publicKey, point } = shard;
  return { chainId, publicKey, threshold, count, id, point, state };
}

/** A shard by its file alone; the name of the file has the chain. Throws USAGE, SHARD_INVALID, KEY_TYPE_UNSUPPORTED or ACCESS_DENIED. */
export async function readShardFile(
  group: Group,
  path: string,
): Promise<{ readonly chainId: string; readonly shard: Shard }> {
  const name = basename(path);
  const chainId = name.endsWith(SHARD_SUFFIX) ? name.slice(0, -SHARD_SUFFIX.length) : '';
  if (chainIdProblem(chainId) !== undefined)
    throw new HekateError('USAGE', `the name of ${path} does not say for which chain it is`, {
      fix: 'name it CHAIN_shard.json, as Horcrux does',
    });
  return { chainId, shard: await shardIn(group, path) };
}

async function readShards(
  group: Group,
  home: string,
  config: HorcruxConfig,
  threshold: number,
  count: number,
  request: HorcruxRequest,
): Promise<HorcruxHost> {
  const folder = keyFolder(home, config, request);
  const chainIds = await chosenChains(folder, SHARD_SUFFIX, 'shard', request);
  const nodes = nodesOf(config, await chainsIn(folder, SHARD_SUFFIX));
  const chains: ShardOfChain[] = [];
  try {
    for (const chainId of chainIds) {
      const shardFile = join(folder, `${chainId}${SHARD_SUFFIX}`);
      const shard = await shardIn(group, shardFile);
      const found = { chainId, shard, shardFile, nodes };
      // With its shard in the list first: whatever is wrong from here on, that is wiped.
      chains.push({ ...found, state: undefined, stateFiles: [], notes: [] });
      if (shard.id > count)
        throw new HekateError(
          'SHARDS_DISAGREE',
          `${shardFile} is shard ${shard.id}, and ${join(home, CONFIG_FILE)} has ${count} cosigners`,
          { fix: 'put the shard of this host and the configuration of its cluster there' },
        );
      const { state, stateFiles, notes } = await readStates(home, chainId, shard.publicKey);
      const access = await notesOnAccess(shardFile);
      chains[chains.length - 1] = { ...found, state, stateFiles, notes: [...access, ...notes] };
    }
  } catch (error) {
    for (const { shard } of chains) wipeShard(shard);
    throw error;
  }
  const files = chains.map(({ shardFile }) => shardFile);
  return { home, threshold, count, chains, notes: config.notes, traces: tracesOf(home, files, chainIds) };
}

async function shardIn(group: Group, path: string): Promise<Shard> {
  try {
    return await withKeyFile(path, 'the shard', (contents) => parseShard(group, contents));
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'KEY_INVALID') throw error;
    const fix = error.fix === FIXES.KEY_INVALID ? FIXES.SHARD_INVALID : error.fix;
    throw new HekateError('SHARD_INVALID', error.message, { fix, cause: error });
  }
}

/** The highest place of the two files of a chain. */
async function readStates(
  home: string,
  chainId: string,
  publicKey: Uint8Array,
): Promise<Pick<ShardOfChain, 'state' | 'stateFiles' | 'notes'>> {
  let state: FilePvState | undefined;
  const stateFiles: string[] = [];
  const missing: string[] = [];
  for (const [kind, suffix] of STATE_FILES) {
    const path = join(home, 'state', `${chainId}${suffix}`);
    if (!(await exists(path))) {
      missing.push(path);
      continue;
    }
    const codes = { missing: 'STATE_IMPORT_INVALID', mode: undefined, invalid: 'STATE_IMPORT_INVALID' } as const;
    const text = Buffer.from(await readPrivateFile(path, 'the state file', MAX_STATE_BYTES, codes)).toString('utf8');
    try {
      const higher = higherState(state, parseHorcruxState(text, kind, chainId, publicKey));
      if (higher !== state) stateFiles.unshift(path);
      else stateFiles.push(path);
      state = higher;
    } catch (error) {
      if (!isHekateError(error)) throw error;
      throw new HekateError(error.code, `${path}: ${error.message}`, { cause: error });
    }
  }
  const notes = missing.map((path) => `${path} is not there`);
  return {
    state,
    stateFiles,
    notes: state === undefined ? [...notes, `this host knows of no signature on ${chainId}`] : notes,
  };
}

async function readSingle(
  group: Group,
  home: string,
  config: HorcruxConfig,
  request: HorcruxRequest,
): Promise<OldSigner> {
  const folder = keyFolder(home, config, request);
  const chainIds = await chosenChains(folder, KEY_SUFFIX, 'key', request);
  const nodes = nodesOf(config, await chainsIn(folder, KEY_SUFFIX)) ?? [];
  const chains: OldChain[] = [];
  try {
    for (const chainId of chainIds) {
      const stateFile = join(home, 'state', `${chainId}_priv_validator_state.json`);
      const keyFile = join(folder, `${chainId}${KEY_SUFFIX}`);
      const read = await readFileSigner(group, {
        ...{ chainId, keyFile },
        stateFile: (await exists(stateFile)) ? stateFile : undefined,
      });
      chains.push(...read.chains.map((chain) => ({ ...chain, nodes })));
    }
  } catch (error) {
    wipeOldSigner({ name: '', chains, notes: [], traces: NO_TRACES, identitySeed: undefined });
    throw error;
  }
  return {
    ...{ name: 'Horcrux in single mode', chains, notes: config.notes, identitySeed: undefined },
    traces: tracesOf(
      home,
      chains.map(({ keyFrom }) => keyFrom),
      chainIds,
    ),
  };
}

const NO_TRACES = { program: undefined, files: [], folders: [] } as const;

/** The raft log stays open for as long as Horcrux runs; keys and states are opened for moments only. */
function tracesOf(home: string, keyFiles: readonly string[], chainIds: readonly string[]): Traces {
  const states = chainIds.flatMap((id) => STATE_FILES.map(([, suffix]) => join(home, 'state', `${id}${suffix}`)));
  return {
    program: { name: 'horcrux', config: join(home, CONFIG_FILE) },
    files: [...keyFiles, ...states],
    folders: [join(home, 'raft'), join(home, 'state')],
  };
}

function keyFolder(home: string, { keyDir }: HorcruxConfig, { startedIn }: HorcruxRequest): string {
  if (keyDir === undefined) return home;
  return isAbsolute(keyDir) ? keyDir : resolve(startedIn, keyDir);
}

/** Horcrux serves all its chains to all its nodes: only with one chain is it clear whose they are. */
function nodesOf({ nodes }: HorcruxConfig, chains: readonly string[]): readonly string[] | undefined {
  return chains.length === 1 ? nodes : undefined;
}

async function chosenChains(
  folder: string,
  suffix: string,
  what: string,
  { chainIds }: HorcruxRequest,
): Promise<readonly string[]> {
  const known = await chainsIn(folder, suffix);
  if (known.length === 0)
    throw new HekateError('USAGE', `${folder} has no CHAIN${suffix}`, {
      fix: 'give the home of Horcrux on the host that has it; where its keyDir is relative, run this where Horcrux is started',
    });
  const stranger = chainIds?.find((id) => !known.includes(id));
  if (stranger === undefined) return known.filter((id) => chainIds?.includes(id) ?? true);
  throw new HekateError('USAGE', `${folder} has no ${what} of chain ${JSON.stringify(stranger)}`, {
    fix: `choose among ${known.join(', ')}`,
  });
}

async function chainsIn(folder: string, suffix: string): Promise<readonly string[]> {
  const names = await listed(folder);
  const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return ids.filter((id) => chainIdProblem(id) === undefined).sort();
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await fsp.readdir(folder);
  } catch (error) {
    throw (
      accessDenied(error) ??
      new HekateError('USAGE', `${folder} cannot be listed: ${messageOf(error)}`, { cause: error })
    );
  }
}

async function readConfig(file: string): Promise<string> {
  const codes = { missing: 'OLD_CONFIG_INVALID', mode: undefined, invalid: 'OLD_CONFIG_INVALID' } as const;
  return Buffer.from(await readPrivateFile(file, 'the configuration', MAX_CONFIG_BYTES, codes)).toString('utf8');
}
