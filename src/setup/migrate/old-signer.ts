import { wipe } from '../../shared/bytes.js';
import type { Point, Scalar } from '../../shared/frost/group.js';
import type { HeightRoundStep } from '../../shared/watermark/watermark.js';
import type { FilePvState } from '../file-pv.js';
import { wipeShares, type DealtKey } from '../keys/dealing.js';

/** A signer that signs until today, as its own files describe it. Holds keys: wipe it with `wipeOldSigner`. */
export interface OldSigner<K extends AnyKey = OldKey> {
  /** What it is called in messages. */
  readonly name: string;
  readonly chains: readonly OldChain<K>[];
  /** What an operator has to know of the configuration as a whole, a sentence each. */
  readonly notes: readonly string[];
  readonly traces: Traces;
  /** Seed of the Ed25519 key that it shows to nodes. Secret. */
  readonly identitySeed: Uint8Array | undefined;
}

export interface OldChain<K extends AnyKey = OldKey> {
  readonly chainId: string;
  readonly key: K;
  /** Where the key was found, for messages. */
  readonly keyFrom: string;
  /** Undefined: none is within reach. */
  readonly state: OldState | undefined;
  /** What the key's own file says that it signed last, before Tendermint 0.28. */
  readonly lastSigned: HeightRoundStep | undefined;
  /** Where its nodes wait for the signer, as node-address.ts writes it. */
  readonly nodes: readonly string[];
  /** "kira" as in "kiravalcons1…"; undefined where the old signer does not know it. */
  readonly bech32Prefix: string | undefined;
  readonly notes: readonly string[];
}

/** A whole key that can be dealt: the scalar, since not every signer keeps the seed that it came from. */
export interface OldKey {
  readonly publicKey: Point;
  /** Secret. */
  readonly secret: Scalar;
}

/** A key that exists as shares alone: they are taken as they are. */
export interface SharedKey {
  readonly publicKey: Point;
  /** With those of its shares that are here. Secret. */
  readonly dealt: DealtKey;
}

export type AnyKey = OldKey | SharedKey;
export type AnyOldSigner = OldSigner<AnyKey>;
export type AnyOldChain = OldChain<AnyKey>;

export interface OldState {
  readonly file: string;
  /** What the old signer writes of this chain beside it. */
  readonly others?: readonly string[];
  readonly found: FilePvState;
}

/** Where it shows that an old signer runs. */
export interface Traces {
  /** Base name of its program, and the configuration that it was started with; undefined: it has no program of its own. */
  readonly program: { readonly name: string; readonly config: string } | undefined;
  /** Files that nobody but the old signer has open. */
  readonly files: readonly string[];
  /** Folders in which nobody but the old signer has files open. */
  readonly folders: readonly string[];
}

export function wipeOldSigner({ chains, identitySeed }: AnyOldSigner): void {
  for (const { key } of chains)
    if ('secret' in key) wipe(key.secret);
    else wipeShares(key.dealt);
  if (identitySeed !== undefined) wipe(identitySeed);
}
