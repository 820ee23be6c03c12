/** What tests read of CometBFT's RPC (rpc/core/routes.go). 64-bit numbers are strings there, bytes base64, hashes hex. */
export interface CometStatus {
  readonly node_info: { readonly version: string; readonly network: string };
  readonly sync_info: { readonly latest_block_height: string; readonly catching_up: boolean };
  readonly validator_info: { readonly address: string; readonly voting_power: string };
}

export interface CometBlockId {
  readonly hash: string;
  readonly parts: { readonly total: number; readonly hash: string };
}

export interface CometCommitSignature {
  /** 1 absent, 2 for the block, 3 for nil. */
  readonly block_id_flag: number;
  readonly validator_address: string;
  readonly timestamp: string;
  readonly signature: string | null;
}

export interface CometCommit {
  readonly height: string;
  readonly round: number;
  readonly block_id: CometBlockId;
  readonly signatures: readonly CometCommitSignature[];
}

export interface CometCommitResult {
  readonly signed_header: { readonly header: { readonly chain_id: string }; readonly commit: CometCommit };
  /** The commit that the next block carries, and no longer the one this node happened to see. */
  readonly canonical: boolean;
}

export interface CometBlockResult {
  readonly block_id: CometBlockId;
  readonly block: {
    readonly header: { readonly height: string; readonly proposer_address: string };
    readonly evidence: { readonly evidence: readonly unknown[] | null };
  };
}

export interface CometValidators {
  readonly validators: readonly {
    readonly address: string;
    readonly pub_key: { readonly type: string; readonly value: string };
  }[];
}

export interface CometConsensusParams {
  readonly consensus_params: {
    readonly abci?: { readonly vote_extensions_enable_height?: string };
    readonly feature?: { readonly vote_extensions_enable_height?: string };
  };
}

/** RPC of one node on 127.0.0.1. Every call throws when the node does not answer, or answers with an error. */
export class CometRpc {
  constructor(readonly port: number) {}

  status(): Promise<CometStatus> {
    return this.get<CometStatus>('status');
  }

  async height(): Promise<number> {
    return Number((await this.status()).sync_info.latest_block_height);
  }

  commit(height: number): Promise<CometCommitResult> {
    return this.get<CometCommitResult>(`commit?height=${height}`);
  }

  block(height: number): Promise<CometBlockResult> {
    return this.get<CometBlockResult>(`block?height=${height}`);
  }

  validators(height: number): Promise<CometValidators> {
    return this.get<CometValidators>(`validators?height=${height}`);
  }

  consensusParams(height: number): Promise<CometConsensusParams> {
    return this.get<CometConsensusParams>(`consensus_params?height=${height}`);
  }

  private async get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.port}/${path}`, { signal: AbortSignal.timeout(5000) });
    const body = (await response.json()) as { readonly result?: T; readonly error?: unknown };
    if (body.result === undefined) throw new Error(`/${path}: ${JSON.stringify(body.error)}`);
    return body.result;
  }
}
