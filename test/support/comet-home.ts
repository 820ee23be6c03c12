import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from './project.js';

/** The same list as scripts/fetch-nodes.mjs, which builds them. */
export const COMET_VERSIONS = ['v0.37.2', 'v0.38.21', 'v0.40.0', 'v1.0.1'] as const;
export type CometVersion = (typeof COMET_VERSIONS)[number];

/** Where the switch for vote extensions is in genesis.json; 0.37 knows none. */
const EXTENSION_PARAMS: Readonly<Record<CometVersion, 'abci' | 'feature' | undefined>> = {
  'v0.37.2': undefined,
  'v0.38.21': 'abci',
  'v0.40.0': 'abci',
  'v1.0.1': 'feature',
};

/** Extensions start here, so that a run has heights without them as well. */
export const EXTENSIONS_FROM_HEIGHT = 2;

export function cometBinary(version: CometVersion): string {
  return join(PROJECT_ROOT, '.cache', 'bin', `cometbft-${version}`);
}

/** Skips the test, and says why, when this node was not built. In CI that is a failure: the test goes on without it. */
export function needsNode(context: { skip(note: string): void }, version: CometVersion): void {
  if (existsSync(cometBinary(version)) || process.env['CI'] !== undefined) return;
  context.skip(`no CometBFT ${version} in .cache/bin; 'node scripts/fetch-nodes.mjs' builds it (needs Go)`);
}

export function hasExtensions(version: CometVersion): boolean {
  return EXTENSION_PARAMS[version] !== undefined;
}

export interface CometHomeOptions {
  readonly version: CometVersion;
  readonly home: string;
  readonly rpcPort: number;
  readonly p2pPort: number;
  /** `tcp://…` or `unix://…` where the node waits for its signer; undefined: it signs by itself (FilePV). */
  readonly privvalAddress: string | undefined;
  /** "0ms" makes blocks as fast as the signer answers. */
  readonly timeoutCommit: string;
  /** Waits that long also where every precommit is there already. Default: no. */
  readonly paced?: boolean;
}

export interface GenesisValidator {
  readonly address: string;
  readonly pub_key: { readonly type: string; readonly value: string };
  readonly power: string;
  readonly name: string;
}

interface Genesis {
  chain_id: string;
  consensus_params: Record<string, Record<string, unknown> | undefined>;
  validators: GenesisValidator[];
}

/** `cometbft init` and the config that tests need. Genesis is written by `writeGenesis`, once all validators are known. */
export async function initHome(options: CometHomeOptions): Promise<void> {
  await promisify(execFile)(cometBinary(options.version), ['init', '--home', options.home]);
  const path = join(options.home, 'config', 'config.toml');
  const config = patchToml(readFileSync(path, 'utf8'), {
    proxy_app: '"kvstore"',
    log_level: '"main:info,*:error"',
    priv_validator_laddr: JSON.stringify(options.privvalAddress ?? ''),
    'rpc.laddr': `"tcp://127.0.0.1:${options.rpcPort}"`,
    'p2p.laddr': `"tcp://127.0.0.1:${options.p2pPort}"`,
    'p2p.addr_book_strict': 'false',
    'p2p.allow_duplicate_ip': 'true',
    'p2p.pex': 'false',
    'consensus.timeout_commit': JSON.stringify(options.timeoutCommit),
    'consensus.skip_timeout_commit': options.paced === true ? 'false' : 'true',
    'tx_index.indexer': '"null"',
  });
  writeFileSync(path, config);
}

export function setPersistentPeers(home: string, peers: readonly string[]): void {
  const path = join(home, 'config', 'config.toml');
  writeFileSync(
    path,
    patchToml(readFileSync(path, 'utf8'), { 'p2p.persistent_peers': JSON.stringify(peers.join(',')) }),
  );
}

/** The validator entry that `init` made for this home. */
export function validatorOf(home: string): GenesisValidator {
  const [validator] = readGenesis(home).validators;
  if (validator === undefined) throw new Error(`no validator in the genesis of ${home}`);
  return validator;
}

export interface GenesisOptions {
  readonly version: CometVersion;
  readonly chainId: string;
  readonly validators: readonly GenesisValidator[];
  readonly voteExtensions: boolean;
  /** RFC 3339; the same in every home of a network. Undefined: as `init` made it. */
  readonly genesisTime?: string;
}

export function genesisTimeOf(home: string): string {
  return (JSON.parse(readFileSync(genesisPath(home), 'utf8')) as { genesis_time: string }).genesis_time;
}

export function writeGenesis(home: string, options: GenesisOptions): void {
  const genesis = readGenesis(home);
  genesis.chain_id = options.chainId;
  genesis.validators = [...options.validators];
  const section = EXTENSION_PARAMS[options.version];
  if (options.voteExtensions && section !== undefined) {
    genesis.consensus_params[section] = {
      ...genesis.consensus_params[section],
      vote_extensions_enable_height: String(EXTENSIONS_FROM_HEIGHT),
    };
  }
  if (options.genesisTime !== undefined) Object.assign(genesis, { genesis_time: options.genesisTime });
  writeFileSync(genesisPath(home), JSON.stringify(genesis, undefined, 2));
}

export interface ValidatorKeyFiles {
  readonly keyFile: string;
  readonly stateFile: string;
}

/**
 * Moves key and state out of the home, where a signer would have them: what the node then signs, another process
 * signed. (The node makes itself a throw-away key and ignores it.)
 */
export function moveKeyAway(home: string, folder: string): ValidatorKeyFiles {
  mkdirSync(folder, { recursive: true });
  const moved = {
    keyFile: join(folder, 'priv_validator_key.json'),
    stateFile: join(folder, 'priv_validator_state.json'),
  };
  renameSync(join(home, 'config', 'priv_validator_key.json'), moved.keyFile);
  renameSync(join(home, 'data', 'priv_validator_state.json'), moved.stateFile);
  return moved;
}

/** What must never be done: a second node that signs with the same key, by a state of its own. */
export function copyKey(from: string, to: string): void {
  const file = join('config', 'priv_validator_key.json');
  copyFileSync(join(from, file), join(to, file));
}

/** Lower-case hex of SHA-256(public key)[0..20], as peers name a node. */
export function nodeIdOf(home: string): string {
  const file = JSON.parse(readFileSync(join(home, 'config', 'node_key.json'), 'utf8')) as {
    priv_key: { value: string };
  };
  const publicKey = Buffer.from(file.priv_key.value, 'base64').subarray(32);
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 40);
}

/** Sets `key` or `section.key` in a config.toml; a key that is not there is an error, so that nothing is left out silently. */
export function patchToml(text: string, changes: Readonly<Record<string, string>>): string {
  const open = new Map(Object.entries(changes));
  let section = '';
  const lines = text.split('\n').map((line) => {
    const header = /^\[([^[\]]+)\]/.exec(line);
    if (header) section = `${header[1] ?? ''}.`;
    const key = /^([a-z0-9_-]+) *=/.exec(line)?.[1];
    const path = `${section}${key ?? ''}`;
    const value = key === undefined ? undefined : open.get(path);
    if (value === undefined) return line;
    open.delete(path);
    return `${key ?? ''} = ${value}`;
  });
  if (open.size > 0) throw new Error(`config.toml has no ${[...open.keys()].join(', ')}`);
  return lines.join('\n');
}

function genesisPath(home: string): string {
  return join(home, 'config', 'genesis.json');
}

function readGenesis(home: string): Genesis {
  return JSON.parse(readFileSync(genesisPath(home), 'utf8')) as Genesis;
}
