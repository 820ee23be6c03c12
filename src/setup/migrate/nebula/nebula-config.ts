import type { TomlTable } from 'smol-toml';
import { z } from 'zod';
import * as field from '../../../shared/config/fields.js';
import { formatHostPort, readHostPort } from '../../../shared/config/host-port.js';
import { expects, parseConfig, type ConfigIssue } from '../../../shared/config/toml-file.js';
import { HekateError, isHekateError } from '../../../shared/errors.js';

/** What a configuration of nebula says, up to 0.0.4 and after. Paths are as written. */
export interface NebulaConfig {
  readonly chainId: string;
  /** Where its nodes wait, as node-address.ts writes it. */
  readonly nodes: readonly string[];
  readonly keeps: NebulaState;
  readonly key: NebulaKey;
}

/** Where it keeps its place. */
export type NebulaState =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'raft';
      /** A RocksDB. */
      readonly dataPath: string;
      /** What a node without any state begins with: not what was signed. */
      readonly initialStatePath: string;
      /** Nodes, this one included; each has the whole key. */
      readonly members: number;
    };

export type NebulaKey =
  | { readonly kind: 'file'; readonly path: string; readonly type: KeyType }
  | { readonly kind: 'vault'; readonly mode: string; readonly keyName: string };

const KEY_TYPES = ['ed25519', 'secp256k1', 'bls12381', 'bls12_381'] as const;
type KeyType = (typeof KEY_TYPES)[number];
const MAX_LIST = 256;
const yesOrNo = z.boolean({ error: expects('true or false') });
const port = field.wholeNumber(1, 65_535);
const anyNumber = z.bigint({ error: expects('a whole number') });

const schema = field.table({
  log_level: field.text.optional(),
  chain_id: field.chainId,
  version: field.text,
  signing_mode: field.oneOf(['native', 'vault_transit', 'vault_signer_plugin', 'vault']),
  persist: field.oneOf(['raft', 'local']).default('raft'),
  connections: field.sections(
    'connections',
    field.table({ host: field.text, port, identity_key_path: field.path.optional() }),
    0,
    MAX_LIST,
  ),
  raft: field
    .table({
      node_id: anyNumber,
      bind_addr: field.text,
      data_path: field.path,
      initial_state_path: field.path,
      peers: field.sections('raft.peers', field.table({ id: anyNumber, addr: field.text }), 0, MAX_LIST),
    })
    .optional(),
  local: field.table({ path: field.path }).optional(),
  signing: field.table({
    bls_dst: field.text.optional(),
    native: field.table({ private_key_path: field.path, key_type: field.oneOf(KEY_TYPES) }).optional(),
    vault: field
      .table({
        address: field.text,
        token_file_path: field.path.optional(),
        token: field.text.optional(),
        transit_path: field.text,
        key_name: field.text,
        cacert: field.text.optional(),
        skip_verify: yesOrNo.optional(),
      })
      .optional(),
  }),
});
type Toml = z.output<typeof schema>;

/** Throws OLD_CONFIG_INVALID with line and column. */
export async function parseNebulaConfig(file: string, text: string): Promise<NebulaConfig> {
  const toml = await parseConfig(file, { written: text, added: '' }, schema, crossChecks).catch(asOldConfig);
  return {
    chainId: toml.chain_id,
    nodes: [
      ...new Set(toml.connections.map((node) => `tcp://${formatHostPort({ host: node.host, port: node.port })}`)),
    ],
    keeps: stateOf(file, toml),
    key: keyOf(file, toml),
  };
}

function asOldConfig(error: unknown): never {
  if (!isHekateError(error) || error.code !== 'CONFIG_INVALID') throw error;
  throw new HekateError('OLD_CONFIG_INVALID', error.message, { cause: error });
}

/** Hosts that no address can have. */
function crossChecks({ connections }: TomlTable): readonly ConfigIssue[] {
  if (!Array.isArray(connections)) return [];
  return connections.flatMap((entry, i) => {
    const host = typeof entry === 'object' && entry !== null && 'host' in entry ? entry['host'] : undefined;
    if (typeof host !== 'string' || typeof readHostPort(formatHostPort({ host, port: 1 })) !== 'string') return [];
    return [{ path: ['connections', i, 'host'], problem: `${JSON.stringify(host.slice(0, 80))} is not a host` }];
  });
}

function stateOf(file: string, { persist, local, raft }: Toml): NebulaState {
  if (persist === 'local') {
    if (local === undefined) throw missing(file, '[local]', 'persist = "local"');
    return { kind: 'file', path: local.path };
  }
  if (raft === undefined) throw missing(file, '[raft]', 'persist = "raft"');
  return {
    ...{ kind: 'raft', dataPath: raft.data_path, initialStatePath: raft.initial_state_path },
    members: raft.peers.length,
  };
}

function keyOf(file: string, { signing_mode: mode, signing }: Toml): NebulaKey {
  if (mode !== 'native') {
    if (signing.vault === undefined) throw missing(file, '[signing.vault]', `signing_mode = "${mode}"`);
    return { kind: 'vault', mode, keyName: signing.vault.key_name };
  }
  if (signing.native === undefined) throw missing(file, '[signing.native]', 'signing_mode = "native"');
  return { kind: 'file', path: signing.native.private_key_path, type: signing.native.key_type };
}

function missing(file: string, section: string, because: string): HekateError {
  return new HekateError('OLD_CONFIG_INVALID', `${file} has no ${section} section, with ${because}`);
}
