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
  /** For so long new heights are waited for, at most. */
  readonly watchMs: number;
}

/** Two, so that a vote that merely came too late for one commit does not look like silence. */
export const ENOUGH_HEIGHTS = 2;
const POLL_MS = 500;
/** New heights that are looked at, and old ones: the newest before the watch, and those right after the state file's. */
const MAX_NEW = 20n;
const RECENT = 3n;

/** Watches a chain until it has made two heights, or for as long as it may. Throws RPC_UNREACHABLE and RPC_INVALID. */
export async function watchChain(rpc: ChainRpc, options: ChainWatchOptions, pause: Pause): Promise<ChainReport> {
  const { address, stateHeight, watchMs } = options;
  const { network, height: first, catchingUp } = await rpc.status();
  const until = pause.nowMs() + watchMs;
  let last = first;
  while (!catchingUp && last < first + BigInt(ENOUGH_HEIGHTS) && pause.nowMs() < until) {
    await pause.sleep(POLL_MS);
    const { height } = await rpc.status();
    // Behind one address there may be several nodes, some of them a little late.
    if (height > last) last = height;
  }
  const oldest = last - first > MAX_NEW ? last - MAX_NEW : first;
  const meanwhile = await look(rpc, network, heights(oldest + 1n, last));
  const recent = heights(first - RECENT + 1n, first);
  const afterState = stateHeight === undefined ? [] : heights(stateHeight + 1n, stateHeight + RECENT);
  const before = new Set([...afterState.filter((height) => height <= first), ...recent]);
  const commits = [...meanwhile, ...(await look(rpc, network, [...before]))];
  const signed = (some: readonly RpcCommit[]): bigint[] =>
    some.filter(({ signers }) => signers.has(address)).map(({ height }) => height);
  const { powers } = last === 0n ? { powers: new Map<string, bigint>() } : await rpc.validators();
  const ours = powers.get(address);
  return {
    ...{ url: rpc.url, network, catchingUp, height: last, newHeights: meanwhile.length },
    ...{ signedMeanwhile: signed(meanwhile), lastSigned: highest(signed(commits)) },
    power: ours === undefined ? undefined : { ours, total: [...powers.values()].reduce((a, b) => a + b, 0n) },
  };
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
