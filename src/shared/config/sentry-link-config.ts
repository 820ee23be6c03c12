import { join } from 'node:path';
import type { TomlTable } from 'smol-toml';
import type { z } from 'zod';
import { MAX_CHAINS, MAX_COSIGNERS, MAX_LEASE_MS } from '../coordination/limits.js';
import { SENTRY_LINK_CONFIG_FILE } from '../home/paths.js';
import {
  duplicates,
  logConfig,
  logSection,
  peerPins,
  PIN_KEYS,
  pins,
  rawSections,
  tlsPaths,
  tlsSection,
} from './common-sections.js';
import type { PeerPins, TlsPaths } from './common-sections.js';
import type { LogConfig } from './log-config.js';
import { USUAL_PREFIX } from './bech32-prefix.js';
import * as field from './fields.js';
import type { HostPort } from './host-port.js';
import { isSameNode, parseNodeAddress } from './node-address.js';
import { parseConfig, readConfigText, type ConfigIssue } from './toml-file.js';

export const DEFAULT_LEASE_MS = 1_000;
export const DEFAULT_SIGN_DEADLINE_MS = 4_000;
/** A node gives up on a request after 5 s (privval/signer_endpoint.go, defaultTimeoutReadWriteSeconds). */
const MAX_SIGN_DEADLINE_MS = 4_800;
/** A node that is restarted is back in less; one that is not keeps the next one waiting for so long. */
export const DEFAULT_NODE_LOST_MS = 3_000;
const NODE_LOST_MS = [100, 60_000] as const;
export const DEFAULT_NODE_STILL_MS = 5_000;
const NODE_STILL_MS = [1_000, 600_000] as const;
const MAX_NODES = 16;
const NODE_MODES = ['active', 'any'] as const;

export interface LinkCosigner extends PeerPins {
  readonly id: number;
  readonly address: HostPort;
}

export interface LinkChain {
  readonly id: string;
  /** Of the chain, for what is shown. */
  readonly bech32Prefix: string;
  /** As written; node-address.ts parses them. */
  readonly nodes: readonly string[];
  /** Which of several nodes is served: one until it is lost, or whoever asks first. */
  readonly nodeMode: (typeof NODE_MODES)[number];
  /** For so long the served node may be without a connection, and at least for so long it may ask for nothing new. */
  readonly nodeLostMs: number;
  readonly nodeStillMs: number;
}

export interface SentryLinkConfig {
  readonly home: string;
  readonly file: string;
  readonly name: string;
  readonly log: LogConfig;
  readonly tls: TlsPaths;
  /** Ascending by id. */
  readonly cosigners: readonly LinkCosigner[];
  readonly chains: readonly LinkChain[];
  readonly leaseMs: number;
  readonly signDeadlineMs: number;
}

const schema = field.table({
  version: field.version,
  name: field.linkName,
  log: logSection.optional(),
  tls: tlsSection.optional(),
  timing: field
    .table({
      lease_ms: field.wholeNumber(200, MAX_LEASE_MS).default(DEFAULT_LEASE_MS),
      sign_deadline_ms: field.wholeNumber(500, MAX_SIGN_DEADLINE_MS).default(DEFAULT_SIGN_DEADLINE_MS),
    })
    .optional(),
  cosigner: field.sections(
    'cosigner',
    field.table({ id: field.cosignerId, address: field.peerAddress, ...pins }),
    2,
    MAX_COSIGNERS,
  ),
  chain: field.sections(
    'chain',
    field.table({
      id: field.chainId,
      bech32_prefix: field.bech32Prefix.default(USUAL_PREFIX),
      nodes: field.nodeAddresses(MAX_NODES),
      node_mode: field.oneOf(NODE_MODES).default('active'),
      node_lost_ms: field.wholeNumber(...NODE_LOST_MS).default(DEFAULT_NODE_LOST_MS),
      node_still_ms: field.wholeNumber(...NODE_STILL_MS).default(DEFAULT_NODE_STILL_MS),
    }),
    1,
    MAX_CHAINS,
  ),
});

/** HOME/sentry-link.toml. Throws NO_HOME or CONFIG_INVALID (all problems at once). */
export async function loadSentryLinkConfig(home: string): Promise<SentryLinkConfig> {
  const file = join(home, SENTRY_LINK_CONFIG_FILE);
  return await parseSentryLinkConfig(home, file, await readConfigText(file));
}

/** As `loadSentryLinkConfig`, of a text and of what would be appended to it. */
export async function parseSentryLinkConfig(
  home: string,
  file: string,
  written: string,
  added = '',
): Promise<SentryLinkConfig> {
  const toml: z.output<typeof schema> = await parseConfig(file, { written, added }, schema, crossChecks);
  return {
    home,
    file,
    name: toml.name,
    log: logConfig(toml.log),
    tls: tlsPaths(home, toml.tls),
    cosigners: toml.cosigner
      .map((cosigner) => ({ id: cosigner.id, address: cosigner.address, ...peerPins(cosigner) }))
      .sort((a, b) => a.id - b.id),
    chains: toml.chain.map((chain) => ({
      id: chain.id,
      bech32Prefix: chain.bech32_prefix,
      nodes: chain.nodes,
      nodeMode: chain.node_mode,
      nodeLostMs: chain.node_lost_ms,
      nodeStillMs: chain.node_still_ms,
    })),
    leaseMs: toml.timing?.lease_ms ?? DEFAULT_LEASE_MS,
    signDeadlineMs: toml.timing?.sign_deadline_ms ?? DEFAULT_SIGN_DEADLINE_MS,
  };
}

function crossChecks(toml: TomlTable): ConfigIssue[] {
  return [
    ...duplicates(toml, 'chain', 'id', 'chain'),
    ...duplicates(toml, 'cosigner', 'id', 'cosigner'),
    ...duplicates(toml, 'cosigner', 'address', 'address'),
    ...duplicates(toml, 'cosigner', PIN_KEYS, 'pin'),
    ...repeatedNodes(toml),
  ];
}

/** One chain names a node once. Another chain may name it too: a node comes back with another chain id after a reset. */
function repeatedNodes(toml: TomlTable): ConfigIssue[] {
  return rawSections(toml, 'chain').flatMap(({ index, entry }) => {
    const nodes: readonly unknown[] = Array.isArray(entry['nodes']) ? entry['nodes'] : [];
    return nodes.flatMap((node, at) => {
      if (typeof node !== 'string') return [];
      const before = nodes.slice(0, at).find((other) => typeof other === 'string' && isRepeated(other, node));
      if (before === undefined) return [];
      const also = before === node ? '' : `, also as ${JSON.stringify(before)}`;
      return [{ path: ['chain', index, 'nodes', at], problem: `node ${JSON.stringify(node)} is there twice${also}` }];
    });
  });
}

/** What is no address is only the same as itself: the schema says what is wrong with it. */
function isRepeated(one: string, other: string): boolean {
  try {
    return isSameNode(parseNodeAddress(one), parseNodeAddress(other));
  } catch {
    return one === other;
  }
}
