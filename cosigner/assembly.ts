import { wipe } from '../src/shared/bytes.js';
import { MAX_LEASE_MS, NONCE_POOL_TARGET } from '../src/shared/coordination/limits.js';
import { FIXES } from '../src/shared/error-codes.js';
import { isHekateError } from '../src/shared/errors.js';
import type { Group } from '../src/shared/frost/group.js';
import type { Clock, WallSecond } from '../src/shared/ports/clock.js';
import type { Disk } from '../src/shared/ports/disk.js';
import type { Log } from '../src/shared/ports/log.js';
import type { RandomBytes } from '../src/shared/ports/random.js';
import type { RunFolder } from '../src/shared/ports/run-folder.js';
import type { StateBinding } from '../src/shared/watermark/slot-record.js';
import { lifeOfCosigner, type BeginLife } from '../src/shared/watermark/life.js';
import { runFileName, RunTrace } from '../src/shared/watermark/run-trace.js';
import { WatermarkStore } from '../src/shared/watermark/store.js';
import { Cosigner } from './cosigner.js';
import { haltedBy, tellHalted, type HaltedChain } from './halted-chain.js';
import { ChainSigner, type ChainSignerDeps, type ChainSignerOptions } from './signing/chain-signer.js';
import { NoncePool } from './signing/nonce-pool.js';
import type { WatermarkPort } from './signing/watermark-port.js';
import type { IdentityKeys } from './waiting/identity-keys.js';

export interface CosignerChainOptions extends Omit<ChainSignerOptions, 'id' | 'others'> {
  /** State file of this chain and key. */
  readonly statePath: string;
}

export interface CosignerOptions {
  readonly id: number;
  /** Ids of all other cosigners. */
  readonly others: readonly number[];
  readonly version: string;
  /** The secret share of one is wiped when that chain is halted, or the cosigner closed. */
  readonly chains: readonly (CosignerChainOptions | HaltedChain)[];
}

/** What a cosigner has of the world. */
export interface CosignerPorts {
  readonly group: Group;
  readonly disk: Disk;
  /** Undefined: there is none, and every start waits. */
  readonly runFolder: RunFolder | undefined;
  /** Removes what an earlier start left in a run-time folder; what is not there is removed. Throws RUN_FOLDER_MOVED. */
  readonly removeRunFile: (path: string) => void;
  readonly keys: IdentityKeys;
  readonly clock: Clock;
  readonly wallSecond: WallSecond;
  /** Of secrets. */
  readonly random: RandomBytes;
  /** Of what is told to others. */
  readonly publicRandom: RandomBytes;
  readonly log: Log;
  /** A fault in hekate itself: the process must not go on. */
  readonly onFault: (error: unknown) => void;
}

export interface OpenedWatermark extends WatermarkPort {
  close(): Promise<void>;
}

/** What the simulator exchanges, to show that it would see what goes missing. */
export interface CosignerParts {
  readonly openWatermark: (
    disk: Disk,
    path: string,
    binding: StateBinding,
    begin: BeginLife,
  ) => Promise<OpenedWatermark>;
  readonly noncePool: ChainSignerDeps['noncePool'];
}

export const COSIGNER_PARTS: CosignerParts = {
  openWatermark: (...asked) => WatermarkStore.open(...asked),
  noncePool: (generate, onDiscarded) => new NoncePool(generate, NONCE_POOL_TARGET, onDiscarded),
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
  { id, others: otherCosigners, version, chains }: CosignerOptions,
  ports: CosignerPorts,
  parts: CosignerParts = COSIGNER_PARTS,
): Promise<AssembledCosigner> {
  const { clock, log, keys, onFault } = ports;
  const opened: OpenChain[] = [];
  const halted: HaltedChain[] = [];
  try {
    for (const chain of chains) {
      const result = 'error' in chain ? chain : await openOrHalt({ id, others: otherCosigners }, chain, ports, parts);
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
  const deps = { clock, log, keys, onFault };
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

/** This cosigner among the others. */
type Among = Pick<CosignerOptions, 'id' | 'others'>;

async function openOrHalt(
  among: Among,
  chain: CosignerChainOptions,
  ports: CosignerPorts,
  parts: CosignerParts,
): Promise<OpenChain | HaltedChain> {
  try {
    return await openChain(among, chain, ports, parts);
  } catch (error) {
    wipe(chain.secretShare);
    return haltedBy(error, chain);
  }
}

async function openChain(
  { id, others }: Among,
  { statePath, ...chain }: CosignerChainOptions,
  { group, disk, runFolder, removeRunFile, clock, wallSecond, random, publicRandom, log }: CosignerPorts,
  { openWatermark, noncePool }: CosignerParts,
): Promise<OpenChain> {
  const { chainId, groupPublicKey } = chain;
  const binding = { chainId, groupPublicKey };
  const name = runFileName(id, binding);
  const trace = traceIfPossible(name, chainId, { runFolder, log });
  try {
    const begin = lifeOfCosigner({ name, trace, remove: removeRunFile }, publicRandom);
    let rolledBack: string | undefined;
    const watermark = await openWatermark(disk, statePath, binding, (state) => {
      const life = begin(state);
      rolledBack = life.rolledBack;
      return life;
    });
    if (rolledBack !== undefined) {
      const fields = { code: 'STATE_ROLLED_BACK', chain: chainId, reason: rolledBack, fix: FIXES.STATE_ROLLED_BACK };
      log.error('the state is an older copy: it counts from what it had reached, and waits', fields);
    }
    const deps = { group, watermark, noncePool, clock, wallSecond, random, publicRandom, log };
    return { signer: new ChainSigner({ id, others, ...chain }, deps), watermark };
  } catch (error) {
    trace?.close();
    throw error;
  }
}

/** Where this chain can leave nothing there its next start waits. Throws STATE_LOCKED: another process has the same share. */
function traceIfPossible(
  name: string,
  chain: string,
  { runFolder, log }: Pick<CosignerPorts, 'runFolder' | 'log'>,
): RunTrace | undefined {
  try {
    return runFolder && new RunTrace(runFolder, name, log);
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'RUN_FOLDER_UNUSABLE') throw error;
    const { code, message, fix } = error;
    log.warn('every start of this chain waits until it has heard the others', { code, chain, reason: message, fix });
    return undefined;
  }
}
