import { join } from 'node:path';
import type { TomlTable } from 'smol-toml';
import type { z } from 'zod';
import { MAX_CHAINS, MAX_COSIGNERS, MAX_LINKS } from '../coordination/limits.js';
import { COSIGNER_CONFIG_FILE } from '../home/paths.js';
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
import { DEFAULT_MAX_HEIGHTS_PER_SECOND, MAX_HEIGHTS_PER_SECOND } from './heights-per-second.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../watermark/rules.js';
import type { HostPort } from './host-port.js';
import { parseConfig, positionsIn, readConfigText, type ConfigIssue } from './toml-file.js';

export interface PinnedLink extends PeerPins {
  readonly name: string;
}

/** Another cosigner, pinned so that one that acts as a link can be named. */
export interface PinnedCosigner extends PeerPins {
  readonly id: number;
}

export const ON_DOUBT = ['sit-out', 'operator'] as const;
export type OnDoubt = (typeof ON_DOUBT)[number];

export interface CosignerChain {
  readonly id: string;
  /** Of the chain, for what is shown. */
  readonly bech32Prefix: string;
  readonly maxHeightJump: bigint;
  /** 0: any. */
  readonly maxHeightsPerSecond: number;
  /** What ends a wait that the other cosigners cannot end: a height that is sat out, or the operator alone. */
  readonly onDoubt: OnDoubt;
}

export interface CosignerConfig {
  readonly home: string;
  readonly file: string;
  readonly id: number;
  readonly listen: HostPort;
  /** Where the file says so, `file:line:column`, for when that port cannot be had. */
  readonly listenPlace: () => Promise<string>;
  readonly log: LogConfig;
  readonly tls: TlsPaths;
  readonly links: readonly PinnedLink[];
  readonly cosigners: readonly PinnedCosigner[];
  readonly chains: readonly CosignerChain[];
}

const heightsPerSecond = field.numberBetween(0, MAX_HEIGHTS_PER_SECOND);

const schema = field.table({
  version: field.version,
  id: field.cosignerId,
  listen: field.listenAddress,
  log: logSection.optional(),
  tls: tlsSection.optional(),
  link: field.sections('link', field.table({ name: field.linkName, ...pins }), 1, MAX_LINKS),
  cosigner: field.sections('cosigner', field.table({ id: field.cosignerId, ...pins }), 0, MAX_COSIGNERS).default([]),
  chain: field.sections(
    'chain',
    field.table({
      id: field.chainId,
      bech32_prefix: field.bech32Prefix.default(USUAL_PREFIX),
      max_height_jump: field.bigWholeNumber(1n, 2n ** 62n).default(DEFAULT_MAX_HEIGHT_JUMP),
      max_heights_per_second: heightsPerSecond.default(DEFAULT_MAX_HEIGHTS_PER_SECOND),
      on_doubt: field.oneOf(ON_DOUBT).default('sit-out'),
    }),
    1,
    MAX_CHAINS,
  ),
});

/** HOME/cosigner.toml. Throws NO_HOME or CONFIG_INVALID (all problems at once). */
export async function loadCosignerConfig(home: string): Promise<CosignerConfig> {
  const file = join(home, COSIGNER_CONFIG_FILE);
  return parseCosignerConfig(home, file, await readConfigText(file));
}

/** As `loadCosignerConfig`, of a text and of what would be appended to it. */
export async function parseCosignerConfig(
  home: string,
  file: string,
  written: string,
  added = '',
): Promise<CosignerConfig> {
  const toml: z.output<typeof schema> = await parseConfig(file, { written, added }, schema, crossChecks);
  return {
    home,
    file,
    id: toml.id,
    listen: toml.listen,
    listenPlace: async () => {
      const { line, column } = (await positionsIn(written)).value(['listen']);
      return `${file}:${line}:${column}`;
    },
    log: logConfig(toml.log),
    tls: tlsPaths(home, toml.tls),
    links: toml.link.map((link) => ({ name: link.name, ...peerPins(link) })),
    cosigners: toml.cosigner.map((cosigner) => ({ id: cosigner.id, ...peerPins(cosigner) })),
    chains: toml.chain.map((chain) => ({
      id: chain.id,
      bech32Prefix: chain.bech32_prefix,
      maxHeightJump: chain.max_height_jump,
      maxHeightsPerSecond: chain.max_heights_per_second,
      onDoubt: chain.on_doubt,
    })),
  };
}

function crossChecks(toml: TomlTable): ConfigIssue[] {
  return [
    ...duplicates(toml, 'chain', 'id', 'chain'),
    ...duplicates(toml, 'link', 'name', 'link'),
    ...duplicates(toml, 'link', PIN_KEYS, 'pin'),
    ...duplicates(toml, 'cosigner', 'id', 'cosigner'),
    ...duplicates(toml, 'cosigner', PIN_KEYS, 'pin'),
    ...mixedRoles(toml),
  ];
}

/** A pin that is a link's and a cosigner's, and this cosigner among the others. */
function mixedRoles(toml: TomlTable): ConfigIssue[] {
  const linkPins = new Set(rawSections(toml, 'link').flatMap(({ entry }) => PIN_KEYS.map((key) => entry[key])));
  return rawSections(toml, 'cosigner').flatMap(({ index, entry }) => {
    const issues: ConfigIssue[] = [];
    if (typeof entry['id'] === 'bigint' && entry['id'] === toml['id'])
      issues.push({ path: ['cosigner', index, 'id'], problem: `${entry['id']} is this cosigner itself` });
    for (const key of PIN_KEYS)
      if (typeof entry[key] === 'string' && linkPins.has(entry[key]))
        issues.push({
          path: ['cosigner', index, key],
          problem: 'this pin is that of a link: a cosigner cannot act as one',
        });
    return issues;
  });
}
