import { wipe } from '../src/shared/bytes.js';
import { MAX_LEASE_MS, NONCE_POOL_TARGET } from '../src/shared/coordination/limits.js';
import type { Group } from '../src/shared/frost/group.js';
import type { Clock, WallSecond } from '../src/shared/ports/clock.js';
import type { Disk } from '../src/shared/ports/disk.js';
import type { Log } from '../src/shared/ports/log.js';
import type { RandomBytes } from '../src/shared/ports/random.js';
import type { StateBinding } from '../src/shared/watermark/slot-record.js';
import { WatermarkStore } from '../src/shared/watermark/store.js';
import { Cosigner } from './cosigner.js';
import { haltedBy, tellHalted, type HaltedChain } from './halted-chain.js';
import {
  ChainSigner,
  type ChainSignerDeps,
  type ChainSignerOptions,
  type WatermarkPort,
} from './signing/chain-signer.js';
import { NoncePool } from './signing/nonce-pool.js';

export interface CosignerChainOptions extends Omit<ChainSignerOptions, 'id'> {
  /** State file of this chain and key. */
  readonly statePath: string;
}

export interface CosignerOptions {
  readonly id: number;
  readonly version: string;
  /** The secret share of one is wiped when that chain is halted, or the cosigner closed. */
  readonly chains: readonly (CosignerChainOptions | HaltedChain)[];
}

/** What a cosigner has of the world. */
export interface CosignerPorts {
  readonly group: Group;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly wallSecond: WallSecond;
  readonly random: RandomBytes;
  readonly log: Log;
  /** A fault in hekate itself: the process must not go on. */
  readonly onFault: (error: unknown) => void;
}

/** What the simulator exchanges, to show that it would see what goes missing. */
export interface CosignerParts {
  readonly openWatermark: (
    disk: Disk,
    path: string,
    binding: StateBinding,
  ) => Promise<WatermarkPort & { close(): Promise<void> }>;
  readonly noncePool: ChainSignerDeps['noncePool'];
}

export const COSIGNER_PARTS: CosignerParts = {
  openWatermark: (disk, path, binding) => WatermarkStore.open(disk, path, binding),
  noncePool: (generate) => new NoncePool(generate, NONCE_POOL_TARGET),
};

export interface AssembledCosigner {
  readonly cosigner: Cosigner;
  /** Nothing is signed any more; resolves when the state files are given back. */
  close(): Promise<void>;
}

/**
 * The one place where a cosigner is put together: for each chain its state, opened and locked, and the signer on it. A chain
 * whose state is missing or bad is halted, alone. When all are, throws what halts the first.
 */
export async function assembleCosigner(
  { id, version, chains }: CosignerOptions,
  ports: CosignerPorts,
  parts: CosignerParts = COSIGNER_PARTS,
): Promise<AssembledCosigner> {
  const { clock, log, onFault } = ports;
  const opened: OpenChain[] = [];
  const halted: HaltedChain[] = [];
  try {
    for (const chain of chains) {
      const result = 'error' in chain ? chain : await openOrHalt(id, chain, ports, parts);
      if ('error' in result) halted.push(result);
      else opened.push(result);
    }
    const [first, ...others] = halted;
    // What halts the first is told by who catches it.
    for (const chain of opened.length === 0 ? others : halted) tellHalted(log, chain);
    if (opened.length === 0 && first !== undefined) throw first.error;
  } catch (error) {
    for (const chain of chains) if ('secretShare' in chain) wipe(chain.secretShare);
    for (const { watermark } of opened) await watermark.close();
    throw error;
  }
  const signers = opened.map(({ signer }) => signer);
  const deps = { clock, log, onFault };
  const cosigner = new Cosigner({ id, version, leaseCapMs: MAX_LEASE_MS }, { signers, halted }, deps);
  return {
    cosigner,
    close: async () => {
      cosigner.close();
      for (const { watermark } of opened) await watermark.close();
    },
  };
}

interface OpenChain {
  readonly signer: ChainSigner;
  readonly watermark: { close(): Promise<void> };
}

async function openOrHalt(
  id: number,
  chain: CosignerChainOptions,
  ports: CosignerPorts,
  parts: CosignerParts,
): Promise<OpenChain | HaltedChain> {
  try {
    return await openChain(id, chain, ports, parts);
  } catch (error) {
    wipe(chain.secretShare);
    return haltedBy(error, chain);
  }
}

async function openChain(
  id: number,
  { statePath, ...chain }: CosignerChainOptions,
  { group, disk, wallSecond, random, log }: CosignerPorts,
  { openWatermark, noncePool }: CosignerParts,
): Promise<OpenChain> {
  const { chainId, groupPublicKey } = chain;
  const watermark = await openWatermark(disk, statePath, { chainId, groupPublicKey });
  const signer = new ChainSigner({ id, ...chain }, { group, watermark, noncePool, wallSecond, random, log });
  return { signer, watermark };
}
