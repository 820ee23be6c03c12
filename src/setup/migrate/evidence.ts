import { toHex } from '../../shared/bytes.js';
import { HekateError, isHekateError } from '../../shared/errors.js';
import { addressOf } from '../../shared/keys/formats.js';
import { watchChain, type ChainReport, type Pause } from './chain-watch.js';
import { connectedNodes } from './node-connections.js';
import type { AnyOldSigner } from './old-signer.js';
import { findProcesses } from './process-table.js';
import type { ChainRpc } from './rpc.js';
import { watchStateFile } from './state-watch.js';
import type { Evidence } from './stopped.js';

export interface Inquiry {
  /** Addresses of nodes beside those that the old signer names. */
  readonly nodes: readonly string[];
  readonly rpcs: readonly ChainRpc[];
  /** State files are watched for so long. */
  readonly watchMs: number;
  /** /proc. */
  readonly proc: string;
}

/** Asks this host, the state files and the chains whether the old signer lives, all at once. */
export async function gatherEvidence(
  old: AnyOldSigner,
  { nodes, rpcs, watchMs, proc }: Inquiry,
  pause: Pause,
  wallSecond: () => number,
): Promise<Evidence> {
  const files = [
    ...new Set(old.chains.flatMap(({ state }) => (state === undefined ? [] : [state.file, ...(state.others ?? [])]))),
  ];
  const watches = await Promise.all(files.map((file) => watchStateFile(file, wallSecond)));
  const reports: ChainReport[] = [];
  const problems: HekateError[] = [];
  const ask = async (rpc: ChainRpc): Promise<void> => {
    try {
      reports.push(await reportOf(old, rpc, watchMs, pause));
    } catch (error) {
      if (!isHekateError(error)) throw error;
      problems.push(error);
    }
  };
  await Promise.all([...rpcs.map(ask), files.length > 0 ? pause.sleep(watchMs) : undefined]);
  // Last, so that one that was started meanwhile is seen.
  const processes = await findProcesses(proc, old.traces);
  const connected = await connectedNodes(proc, [...new Set([...nodes, ...old.chains.flatMap((chain) => chain.nodes)])]);
  const states = await Promise.all(watches.map((end) => end()));
  return { processes, connected, states, reports, problems, watchedSeconds: Math.round(watchMs / 1000) };
}

async function reportOf(old: AnyOldSigner, rpc: ChainRpc, watchMs: number, pause: Pause): Promise<ChainReport> {
  const { network } = await rpc.status();
  const chain = old.chains.find(({ chainId }) => chainId === network);
  if (chain === undefined) {
    const ids = old.chains.map(({ chainId }) => chainId).join(' or ');
    throw new HekateError('RPC_CHAIN_MISMATCH', `${rpc.url} is of chain ${JSON.stringify(network)}, not of ${ids}`);
  }
  const address = toHex(addressOf(chain.key.publicKey)).toUpperCase();
  const stateHeight = chain.state?.found.watermark.height;
  return watchChain(rpc, { address, stateHeight, watchMs }, pause);
}
