import { SignBytes } from '../../../shared/privval/sign-bytes.js';
import type { Group } from '../../../shared/frost/group.js';
import { keyFromSeed } from '../../../shared/frost/keys.js';
import { neverSigned, type HeightRoundStep } from '../../../shared/watermark/watermark.js';
import type { FilePvState } from '../../file-pv.js';
import type { ChainReport } from '../chain-watch.js';
import type { OldChain, OldSigner } from '../old-signer.js';
import type { Evidence } from '../stopped.js';

export const STATE_FILE = '/old/state.json';
export const URL_OF_NODE = 'http://node:26657';

/** A state file at a place; `signBytes` of a precommit for nil there, with a signature that nobody made. */
export function stateAt(height: bigint, change: Partial<HeightRoundStep> = {}, signature?: Uint8Array): FilePvState {
  const place = { height, round: 0, step: 3, ...change } as const;
  const vote = { chainId: 'one', height, round: place.round, blockId: undefined, timestamp: { seconds: 1n, nanos: 0 } };
  const signBytes = signature === undefined ? undefined : SignBytes.encode({ ...vote, step: 3 });
  return { watermark: { ...neverSigned(), fresh: false, ...place, signBytes }, signature };
}

export function oldChain(group: Group, change: Partial<OldChain> = {}): OldChain {
  return {
    chainId: 'one',
    key: keyFromSeed(group, new Uint8Array(32).fill(7)),
    keyFrom: '/old/key.json',
    state: { file: STATE_FILE, found: stateAt(50n) },
    lastSigned: undefined,
    nodes: ['tcp://10.0.0.5:26659'],
    bech32Prefix: undefined,
    notes: [],
    ...change,
  };
}

export function oldSigner(...chains: readonly OldChain[]): OldSigner {
  const traces = { program: undefined, files: [], folders: [] };
  return { name: 'TMKMS', chains, notes: [], traces, identitySeed: undefined };
}

/** A chain that goes on without the key. */
export function report(change: Partial<ChainReport> = {}): ChainReport {
  return {
    url: URL_OF_NODE,
    network: 'one',
    catchingUp: false,
    height: 60n,
    newHeights: 2,
    signedMeanwhile: [],
    lastSigned: undefined,
    watchedMs: 10_000,
    usualMs: 1_000,
    power: { ours: 1n, total: 10n },
    ...change,
  };
}

/** Nothing lives, and nothing was asked but this host and the state file. */
export function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    processes: { found: [], others: [], hidden: 0 },
    connected: [],
    states: [{ file: STATE_FILE, ageSeconds: 60, changed: false }],
    reports: [],
    problems: [],
    watchedSeconds: 10,
    ...change,
  };
}
