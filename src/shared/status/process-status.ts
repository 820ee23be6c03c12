import type { Release } from '../coordination/release.js';
import type { ErrorCode } from '../error-codes.js';

/** What `hekate status` shows: each process tells its own part as JSON on the socket in its home. Heights are decimal strings. */
export interface WatermarkStatus {
  readonly chainId: string;
  /** This and the next two are null where a chain was halted before its state was read. */
  readonly height: string | null;
  readonly round: number | null;
  /** 1 proposal, 2 prevote, 3 precommit. */
  readonly step: number | null;
  /** The same in words. */
  readonly place: string;
  /** Error code when this chain signs nothing. */
  readonly halted: string | null;
  /** After a start: ids of the cosigners that it has heard, while it waits for the others; null: it does not wait. */
  readonly waiting: readonly number[] | null;
}

/** Why a process cannot do its part in signing as things are; a HekateError is one. */
export interface StatusProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
}

/** What a peer said of the release that it runs, and what it sent that this process does not know. */
export interface PeerRelease extends Release {
  /** Fields and messages of kinds that are not in this version, since the start. */
  readonly passedOver: number;
}

export interface LinkPeerStatus extends PeerRelease {
  readonly name: string;
  readonly connected: boolean;
}

export interface CosignerStatus extends Release {
  readonly kind: 'cosigner';
  readonly id: number;
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly term: number;
  /** Link that holds the lease here, or null. */
  readonly leader: string | null;
  /** Those that have a stream open. */
  readonly links: readonly string[];
  /** All that were heard since the start. */
  readonly peers: readonly LinkPeerStatus[];
  readonly chains: readonly WatermarkStatus[];
  /** None: it can sign, and is asked to. */
  readonly problems: readonly StatusProblem[];
}

export interface PeerChainStatus extends WatermarkStatus {
  /** Why this cosigner cannot sign for this chain, in words, while it is connected. */
  readonly unable: string | null;
}

export interface PeerStatus {
  readonly id: number;
  readonly connected: boolean;
  /** Code of what ended the stream, or of the last dial, while there is none. */
  readonly problem: string | null;
  /** What it said last; null: it was never heard. */
  readonly version: string | null;
  /** 0: an older release, which does not say. */
  readonly protocol: number | null;
  readonly features: readonly string[];
  /** As in PeerRelease. */
  readonly passedOver: number;
  /** Times that it reported a watermark below an earlier one. */
  readonly falls: number;
  /** What it says that cannot be, in words. */
  readonly claims: readonly string[];
  readonly roundTripMs: number | null;
  readonly signMs: number | null;
  /** Left out of some chain for a while because of what it sent; `unable` says of which, and why. */
  readonly quarantined: boolean;
  readonly chains: readonly PeerChainStatus[];
}

export interface NodeStatus {
  readonly chainId: string;
  readonly address: string;
  readonly connected: boolean;
  /** Code of the last failed dial while there is no connection. */
  readonly problem: ErrorCode | null;
  /** Its requests are signed; where only one of several is served, `because` says why it is this one. */
  readonly served: boolean;
  readonly because: string | null;
  readonly signed: number;
  readonly refused: number;
}

export interface QuorumStatus {
  readonly chainId: string;
  /** Cosigners that can sign for it now, of how many, and how many it takes. */
  readonly able: number;
  readonly count: number;
  readonly threshold: number;
}

export interface LinkStatus extends Release {
  readonly kind: 'sentry-link';
  readonly name: string;
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly leading: boolean;
  /** In which it leads. */
  readonly term: number | null;
  /** The link that leads, by the name that the cosigners have pinned, or null when they name none. */
  readonly leader: string | null;
  /** Of one that leads: links that are ready to take over. */
  readonly standbys: readonly string[];
  readonly chains: readonly QuorumStatus[];
  readonly cosigners: readonly PeerStatus[];
  readonly nodes: readonly NodeStatus[];
  /** None: if it leads, a node's requests are signed; if it stands by, it could take over. */
  readonly problems: readonly StatusProblem[];
}

export type ProcessStatus = CosignerStatus | LinkStatus;
