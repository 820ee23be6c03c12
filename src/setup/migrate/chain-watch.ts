import { HekateError } from '../../shared/errors.js';
import type { ChainRpc, RpcCommit } from './rpc.js';

/** What the RPC of one node shows of a key on a chain. Only as true as that node. */
export interface ChainReport {
  readonly url: string;
  readonly network: string;
  readonly catchingUp: boolean;
  /** The newest height, in the end. */
  readonly height: bigint;
  /** Heights that were made, and looked at, while it was watched. */
  readonly newHeights: number;
  /** Those of them with a signature of the key. */
  readonly signedMeanwhile: readonly bigint[];
  /** The highest one with a signature of the key, of those that were looked at. */
  readonly lastSigned: bigint | undefined;
  /** For so long it was watched. */
  readonly watchedMs: number;
  /** From one of its blocks to the next, of late; undefined where it has not made two. */
  readonly usualMs: number | undefined;
  /** Of the key and of all; undefined: the key is not that of a validator. */
  readonly power: { readonly ours: bigint; readonly total: bigint } | undefined;
}

/** Time as it passes; a fake one in tests. */
export interface Pause {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

export interface ChainWatchOptions {
  /** Of the validator, upper-case hex. */
  readonly address: string;
  /** What the state file says was signed last. */
  readonly stateHeight: bigint | undefined;
  /** For so long at least a chain has to stand still, and three times as long new heights are waited for, at most. */
  readonly watchMs: number;
}

/** Two, so that a vote that merely came too late for one commit does not look like silence. */
export const ENOUGH_HEIGHTS = 2;
const POLL_MS = 500;
/** New heights that are looked at, and old ones: the newest before the watch, and those right after the state file's. */
const MAX_NEW = 20n;
const RECENT = 6n;
const AFTER_STATE = 3n;
const AT_MOST_TIMES = 3;
/** A chain that stands still has made no block for so many times as long as usual. */
const STILL_TIMES = 3;

/**
 * Watches a chain until it has made two heights, stands still for certain, or for as long as it may. Throws RPC_UNREACHABLE and
 * RPC_INVALID.
 */
export async function watchChain(rpc: ChainRpc, options: ChainWatchOptions, pause: Pause): Promise<ChainReport> {
  const { address, stateHeight, watchMs } = options;
  const { network, height: first, catchingUp } = await rpc.status();
  const fromMs = pause.nowMs();
  const recent = await look(rpc, network, heights(first - RECENT + 1n, first));
  const usualMs = usualTime(recent);
  const power = await powerOf(rpc, address, first);
  const elapsedMs = (): number => pause.nowMs() - fromMs;
  let last = first;
  while (!catchingUp && last < first + BigInt(ENOUGH_HEIGHTS) && elapsedMs() < AT_MOST_TIMES * watchMs) {
    const still = { newHeights: Number(last - first), watchedMs: elapsedMs(), usualMs, power };
    if (elapsedMs() >= watchMs && standsStill(still)) break;
    await pause.sleep(POLL_MS);
    const { height } = await rpc.status();
    // Behind one address there may be several nodes, some of them a little late.
    if (height > last) last = height;
  }
  const oldest = last - first > MAX_NEW ? last - MAX_NEW : first;
  const meanwhile = await look(rpc, network, heights(oldest + 1n, last));
  const afterState = stateHeight === undefined ? [] : heights(stateHeight + 1n, stateHeight + AFTER_STATE);
  const before = await look(
    rpc,
    network,
    afterState.filter((height) => height <= first - RECENT),
  );
  const signed = (some: readonly RpcCommit[]): bigint[] =>
    some.filter(({ signers }) => signers.has(address)).map(({ height }) => height);
  return {
    ...{ url: rpc.url, network, catchingUp, height: last, newHeights: meanwhile.length, power, usualMs },
    ...{ watchedMs: elapsedMs(), signedMeanwhile: signed(meanwhile) },
    lastSigned: highest(signed([...before, ...recent, ...meanwhile])),
  };
}

/** A chain that cannot go on without the key, and does not. */
export function standsStill({
  newHeights,
  watchedMs,
  usualMs,
  power,
}: Pick<ChainReport, 'newHeights' | 'watchedMs' | 'usualMs' | 'power'>): boolean {
  if (newHeights > 0 || usualMs === undefined || power === undefined) return false;
  // Without it there are not more than two thirds of all voting power.
  return power.ours * 3n >= power.total && watchedMs >= STILL_TIMES * usualMs;
}

/** The median: a chain that stood still before is no slow one. */
function usualTime(commits: readonly RpcCommit[]): number | undefined {
  const times = commits.map(({ timeMs }) => timeMs);
  const between = times.slice(1).map((timeMs, i) => timeMs - (times[i] ?? timeMs));
  return between.sort((a, b) => a - b)[Math.floor(between.length / 2)];
}

async function powerOf(rpc: ChainRpc, address: string, height: bigint): Promise<ChainReport['power']> {
  if (height === 0n) return undefined;
  const { powers } = await rpc.validators();
  const ours = powers.get(address);
  if (ours === undefined || ours === 0n) return undefined;
  return { ours, total: [...powers.values()].reduce((a, b) => a + b, 0n) };
}

/** From 1 on. */
function heights(from: bigint, to: bigint): readonly bigint[] {
  const found: bigint[] = [];
  for (let height = from < 1n ? 1n : from; height <= to; height++) found.push(height);
  return found;
}

/** The commits of some heights that the node has: nodes forget old ones. */
async function look(rpc: ChainRpc, network: string, among: readonly bigint[]): Promise<readonly RpcCommit[]> {
  const found: RpcCommit[] = [];
  for (const height of among) {
    const commit = await rpc.commit(height);
    if (commit !== undefined && commit.chainId !== network)
      throw new HekateError(
        'RPC_INVALID',
        `${rpc.url}: it says that its chain is ${network}, and has a block of another one`,
      );
    if (commit !== undefined) found.push(commit);
  }
  return found;
}

function highest(of: readonly bigint[]): bigint | undefined {
  return of.reduce<bigint | undefined>((most, one) => (most === undefined || one > most ? one : most), undefined);
}
