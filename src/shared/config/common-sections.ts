import { isAbsolute, join } from 'node:path';
import type { TomlTable } from 'smol-toml';
import type { z } from 'zod';
import { TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TLS_PEERS_FOLDER } from '../home/paths.js';
import { oneOf, path, pin, table } from './fields.js';
import { LOG_FORMATS, LOG_LEVELS, type LogConfig } from './log-config.js';
import type { ConfigIssue } from './toml-file.js';

export const logSection = table({
  level: oneOf(LOG_LEVELS).default('info'),
  format: oneOf(LOG_FORMATS).default('text'),
});

/** Absolute paths. */
export interface TlsPaths {
  readonly key: string;
  readonly certificate: string;
  /** Folder of the certificates of peers, `<name>.crt` each. */
  readonly peers: string;
}

export const tlsSection = table({
  key: path.default(TLS_KEY_FILE),
  certificate: path.default(TLS_CERTIFICATE_FILE),
  peers: path.default(TLS_PEERS_FOLDER),
});

/** By what a peer is known: during the rotation of its identity by two. */
export const pins = { pin, next_pin: pin.optional() };
export const PIN_KEYS = ['pin', 'next_pin'] as const;

export function peerPins(entry: z.output<z.ZodObject<typeof pins>>): PeerPins {
  return { pin: entry.pin, nextPin: entry.next_pin };
}

export interface PeerPins {
  readonly pin: string;
  /** Accepted as well: the peer is about to show this one, or shows it already. */
  readonly nextPin?: string | undefined;
}

export function logConfig(section: z.output<typeof logSection> | undefined): LogConfig {
  return { level: section?.level ?? 'info', format: section?.format ?? 'text' };
}

/** Paths of the section or their defaults, against the home. */
export function tlsPaths(home: string, section: z.output<typeof tlsSection> | undefined): TlsPaths {
  const { key, certificate, peers } = section ?? tlsSection.parse({});
  const resolve = (to: string): string => (isAbsolute(to) ? to : join(home, to));
  return { key: resolve(key), certificate: resolve(certificate), peers: resolve(peers) };
}

/** The entries of `[[name]]` in a table that is not checked yet; what is no entry is left to the schema. */
export function rawSections(toml: TomlTable, name: string): { readonly index: number; readonly entry: TomlTable }[] {
  const list = toml[name];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) =>
    typeof entry === 'object' && !Array.isArray(entry) ? [{ index, entry: entry as TomlTable }] : [],
  );
}

/** An issue for each value of the `keys` of `[[name]]` that is there twice. */
export function duplicates(
  toml: TomlTable,
  name: string,
  keys: string | readonly string[],
  what: string,
): ConfigIssue[] {
  const seen = new Set<unknown>();
  const issues: ConfigIssue[] = [];
  for (const { index, entry } of rawSections(toml, name)) {
    for (const key of [keys].flat()) {
      const value = entry[key];
      if (typeof value !== 'string' && typeof value !== 'bigint') continue;
      if (seen.has(value)) issues.push({ path: [name, index, key], problem: `${what} ${show(value)} is there twice` });
      seen.add(value);
    }
  }
  return issues;
}

function show(value: string | bigint): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
