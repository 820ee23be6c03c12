/** What `hekate status` shows: each process tells its own part as JSON on the socket in its home. Heights are decimal strings. */
export interface WatermarkStatus {
  readonly chainId: string;
  readonly height: string;
  readonly round: number;
  readonly step: number;
  /** Error code when this chain signs nothing. */
  readonly halted: string | null;
}

export interface CosignerStatus {
  readonly kind: 'cosigner';
  readonly id: number;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly term: number;
  /** Link that holds the lease here, or null. */
  readonly leader: string | null;
  readonly links: readonly string[];
  readonly chains: readonly WatermarkStatus[];
}

export interface PeerStatus {
  readonly id: number;
  readonly connected: boolean;
  readonly version: string | null;
  readonly roundTripMs: number | null;
  readonly signMs: number | null;
  /** Left out because of a bad share. */
  readonly quarantined: boolean;
  readonly chains: readonly WatermarkStatus[];
}

export interface NodeStatus {
  readonly chainId: string;
  readonly address: string;
  readonly connected: boolean;
  /** Code of the last failed dial while there is no connection. */
  readonly problem: string | null;
  readonly signed: number;
  readonly refused: number;
}

export interface LinkStatus {
  readonly kind: 'sentry-link';
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly leading: boolean;
  readonly term: number | null;
  readonly cosigners: readonly PeerStatus[];
  readonly nodes: readonly NodeStatus[];
}

export type ProcessStatus = CosignerStatus | LinkStatus;
