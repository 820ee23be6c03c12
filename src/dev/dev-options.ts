/** What `hekate dev` was asked for. */
export interface DevOptions {
  readonly node?: string;
  readonly chainId?: string;
  readonly key?: string;
  readonly state?: string;
  readonly neverSigned?: boolean;
  readonly blocks?: number;
  readonly fresh?: boolean;
  readonly json?: boolean;
  /** Folder for the homes of all runs; one folder a chain below it. */
  readonly dir?: string;
}
