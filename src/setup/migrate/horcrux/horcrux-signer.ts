import { resolve } from 'node:path';
import { equalBytes, wipe } from '../../../shared/bytes.js';
import { HekateError } from '../../../shared/errors.js';
import type { SecretShare } from '../../../shared/frost/dealer.js';
import type { Group } from '../../../shared/frost/group.js';
import { must } from '../../../shared/invariant.js';
import { readPrivateFile } from '../../../shared/home/private-file.js';
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { AnyOldSigner, OldChain, OldSigner, OldState, SharedKey, Traces } from '../old-signer.js';
import {
  isHorcruxHost,
  pointOfChain,
  readHorcrux,
  readShardFile,
  wipeHost,
  type HorcruxHost,
  type ShardOfChain,
} from './horcrux-host.js';
import { higherState } from './horcrux-state.js';
import { joinShardPoints, startOfShards, type JoinedPoints } from './join-points.js';
import { wipeShard, type Shard } from './shard.js';
import { MAX_SHARD_POINT_BYTES, parseShardPoint, type ShardPoint } from './shard-point.js';

export interface HorcruxShardsRequest {
  /** Homes of hosts, on this one or brought here. */
  readonly homes: readonly string[];
  /** Shards by their files alone, all there are: then nothing says where they signed. */
  readonly shardFiles: readonly string[];
  /** What other hosts made public of theirs, to be carried here. */
  readonly pointFiles: readonly string[];
  /** Undefined: every chain that the first home has a key of. */
  readonly chainIds: readonly string[] | undefined;
  /** Of the dealing, instead of what the configurations say. */
  readonly threshold: number | undefined;
  readonly startedIn: string;
}

interface PointFile {
  readonly file: string;
  readonly point: ShardPoint;
}

/** What is here of one chain. */
interface Found {
  readonly chainId: string;
  readonly points: ShardPoint[];
  readonly shares: SecretShare[];
  readonly shardFiles: string[];
  /** Files that say where it was signed, those of Horcrux itself first. */
  readonly stateFiles: string[];
  readonly notes: string[];
  nodes: readonly string[];
}

/**
 * A cluster of Horcrux by its shards, which are taken as they are, or in single mode by its whole keys. Throws USAGE,
 * OLD_CONFIG_INVALID, SHARD_INVALID, SHARD_POINT_INVALID, SHARDS_DISAGREE, SHARDS_TOO_FEW, THRESHOLD_UNSAFE, KEY_INVALID,
 * KEY_TYPE_UNSUPPORTED, STATE_IMPORT_INVALID or ACCESS_DENIED.
 */
export async function readHorcruxSigner(group: Group, request: HorcruxShardsRequest): Promise<AnyOldSigner> {
  const hosts: HorcruxHost[] = [];
  const shards: { readonly chainId: string; readonly shard: Shard; readonly file: string }[] = [];
  try {
    for (const home of request.homes) {
      const read = await readHorcrux(group, { home, chainIds: request.chainIds, startedIn: request.startedIn });
      if (isHorcruxHost(read)) hosts.push(read);
      else if (request.homes.length === 1 && request.pointFiles.length === 0) return read;
      else throw single(home, read);
    }
    for (const file of request.shardFiles) {
      const read = await readShardFile(group, file);
      if (request.chainIds?.includes(read.chainId) ?? true) shards.push({ ...read, file: resolve(file) });
      else wipeShard(read.shard);
    }
    const points: PointFile[] = [];
    for (const file of request.pointFiles) points.push({ file: resolve(file), point: await readPointFile(file) });
    const found = collect(hosts, shards, points, request);
    return signerOf(
      found.map((chain) => chainOf(group, chain, request.threshold)),
      hosts,
      found.flatMap(({ shardFiles }) => shardFiles),
    );
  } catch (error) {
    hosts.forEach(wipeHost);
    for (const { shard } of shards) wipeShard(shard);
    throw error;
  }
}

/** One host alone, with what is public of it. */
export interface OwnPoints {
  readonly points: readonly ShardPoint[];
  /** To ask whether it is stopped. Its keys have no shares. */
  readonly signer: OldSigner<SharedKey>;
}

/** What a host gives to be carried to the others; its shards are wiped again. Throws as `readHorcrux`. */
export async function readOwnPoints(
  group: Group,
  request: Pick<HorcruxShardsRequest, 'chainIds' | 'startedIn'> & { readonly home: string },
): Promise<OwnPoints> {
  const host = await readHorcrux(group, request);
  if (!isHorcruxHost(host)) throw single(request.home, host);
  try {
    const points = host.chains.map((chain) => pointOfChain(host, chain));
    const chains = host.chains.map((chain) => ownChain(host, chain));
    return {
      points,
      signer: signerOf(
        chains,
        [host],
        host.chains.map(({ shardFile }) => shardFile),
      ),
    };
  } finally {
    wipeHost(host);
  }
}

function ownChain({ threshold, count }: HorcruxHost, chain: ShardOfChain): OldChain<SharedKey> {
  const { chainId, shard, shardFile, state } = chain;
  const [file, ...others] = chain.stateFiles;
  const { publicKey } = shard;
  const info = { chainId, threshold, count, groupPublicKey: publicKey, commitments: [] };
  return {
    ...{ chainId, key: { publicKey, dealt: { info, shares: [] } }, keyFrom: shardFile },
    state: state === undefined ? undefined : { file: must(file, 'a state is in a file'), others, found: state },
    ...{ lastSigned: undefined, nodes: chain.nodes ?? [], bech32Prefix: undefined, notes: chain.notes },
  };
}

function single(home: string, read: OldSigner): HekateError {
  for (const { key } of read.chains) wipe(key.secret);
  return new HekateError('USAGE', `${home} is of Horcrux in single mode, with whole keys`, {
    fix: 'give it alone, without other homes, shards and points',
  });
}

async function readPointFile(file: string): Promise<ShardPoint> {
  const codes = { missing: 'SHARD_POINT_INVALID', mode: undefined, invalid: 'SHARD_POINT_INVALID' } as const;
  const contents = await readPrivateFile(file, 'the point', MAX_SHARD_POINT_BYTES, codes);
  return parseShardPoint(Buffer.from(contents).toString('utf8'), file);
}

function collect(
  hosts: readonly HorcruxHost[],
  shards: readonly { readonly chainId: string; readonly shard: Shard; readonly file: string }[],
  points: readonly PointFile[],
  { chainIds, threshold }: HorcruxShardsRequest,
): readonly Found[] {
  const all = new Map<string, Found>();
  const of = (chainId: string): Found => {
    const known = all.get(chainId);
    if (known !== undefined) return known;
    const found: Found = { chainId, points: [], shares: [], shardFiles: [], stateFiles: [], notes: [], nodes: [] };
    all.set(chainId, found);
    return found;
  };
  for (const host of hosts)
    for (const chain of host.chains) {
      const found = of(chain.chainId);
      add(found, chain.shard, chain.shardFile);
      found.points.push(pointOfChain(host, chain));
      found.notes.push(...chain.notes);
      if (chain.state !== undefined) found.stateFiles.push(...chain.stateFiles);
      if (chain.nodes !== undefined) found.nodes = [...new Set([...found.nodes, ...chain.nodes])];
    }
  for (const { chainId, shard, file } of shards) {
    const count = shards.filter((one) => one.chainId === chainId).length;
    if (threshold === undefined)
      throw new HekateError('USAGE', 'files of shards do not say how many of them sign', {
        fix: 'add --threshold T as they were dealt, or give the homes of Horcrux',
      });
    const { id, publicKey, point } = shard;
    const found = of(chainId);
    add(found, shard, file);
    found.points.push({ chainId, publicKey, threshold, count, id, point, state: undefined });
  }
  for (const { file, point } of points) {
    const found = all.get(point.chainId);
    if (found === undefined) continue;
    addPoint(found, point);
    if (point.state !== undefined) found.stateFiles.push(file);
  }
  const found = [...all.values()];
  const unasked = chainIds?.find((id) => !all.has(id));
  if (found.length > 0 && unasked === undefined) return found;
  throw new HekateError('USAGE', `no shard of ${unasked ?? 'any chain'} was given`, {
    fix: 'give --home or --shards',
  });
}

function add({ shares, shardFiles }: Found, { id, share }: Shard, file: string): void {
  shares.push({ id, secretShare: share });
  shardFiles.push(file);
}

/** Of a shard that is known already, the place may be an earlier one: points are made, and Horcrux signs on. */
function addPoint({ points }: Found, point: ShardPoint): void {
  const at = points.findIndex(({ id, point: known }) => id === point.id && equalBytes(known, point.point));
  const known = points[at];
  if (known === undefined) points.push(point);
  else points[at] = { ...known, state: higherState(known.state, point.state) };
}

function chainOf(group: Group, found: Found, threshold: number | undefined): OldChain<SharedKey> {
  const { chainId, points, shares, shardFiles, stateFiles, notes, nodes } = found;
  const joined = joinShardPoints(group, points, threshold);
  const { info } = joined;
  const key = { publicKey: info.groupPublicKey, dealt: { info, shares: [...shares].sort((a, b) => a.id - b.id) } };
  return {
    ...{ chainId, key, keyFrom: shardFiles.join(' and ') },
    ...{ state: stateOf(joined, stateFiles), lastSigned: undefined, nodes, bech32Prefix: undefined },
    notes: [...notes, ...notesOn(joined, shares)],
  };
}

/** The pace is for who starts a watermark with it to choose. The files are watched. */
function stateOf(joined: JoinedPoints, [file, ...others]: readonly string[]): OldState | undefined {
  const start = startOfShards(joined, 0);
  if (start === undefined || file === undefined) return undefined;
  const { height, round, step, signBytes, fresh } = start;
  return { file, others, found: { watermark: { height, round, step, signBytes, fresh }, signature: undefined } };
}

function notesOn({ info, ids, withState, highest }: JoinedPoints, shares: readonly SecretShare[]): readonly string[] {
  const { count, threshold } = info;
  const place = highest?.state?.watermark;
  const needed = count - threshold + 1;
  const away = ids.filter((id) => !shares.some((share) => share.id === id));
  return [
    `${threshold} of ${count} shards sign; the points of shards ${ids.join(', ')} make the key, which was not put together`,
    place === undefined
      ? 'none of the state files knows of a signature'
      : `the highest place is ${describePlace(place)}, on the host of shard ${highest?.id}; Horcrux writes it after it has signed, so that all of that height is refused`,
    ...(withState.length < needed
      ? [
          `${withState.length} of the ${needed} hosts know a place of which each signature had one: others say where to start`,
        ]
      : []),
    ...(away.length > 0
      ? [
          `shards ${away.join(', ')} are not here: that Horcrux is stopped on their hosts was seen when their points were made`,
        ]
      : []),
  ];
}

function signerOf<K extends SharedKey>(
  chains: readonly OldChain<K>[],
  hosts: readonly HorcruxHost[],
  shardFiles: readonly string[],
): OldSigner<K> {
  const [first] = hosts;
  const traces: Traces = {
    program: first?.traces.program,
    files: [...new Set([...shardFiles, ...hosts.flatMap((host) => host.traces.files)])],
    folders: hosts.flatMap((host) => host.traces.folders),
  };
  const notes = [...new Set(hosts.flatMap((host) => host.notes))];
  return { name: 'Horcrux', chains, notes, traces, identitySeed: undefined };
}
