import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesBelow } from './files-below.js';
import { secretsIn } from './secret-files.js';

/** Names the folder in which a test run keeps what it put out and which secrets it made; global-setup.ts makes it. */
export const RECORD_VARIABLE = 'HEKATE_TEST_RECORD';

/** What hekate writes for others to read. Inputs that a test made up may well hold a key. */
const OUTPUT_FILES = /\.(log|toml|md|crt|watermark)$|^(group|dev)\.json$/;
/** Made-up secrets, all zeros and the like, are no secrets, and are found everywhere. */
const MIN_DIFFERENT_BYTES = 16;

export interface RecordedSecret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface SuiteRecord {
  readonly secrets: readonly RecordedSecret[];
  /** Everything that was put out, by name. */
  readonly outputs: ReadonlyMap<string, Buffer>;
}

/** Keeps what a process printed, or what a test collected instead. */
export function recordOutput(output: string | Uint8Array): void {
  append('output', output);
}

/** Keeps the secrets of a folder that is about to be removed, and the files in it that are output. */
export function recordFolder(folder: string): void {
  if (process.env[RECORD_VARIABLE] === undefined || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const { name, bytes } of secretsIn(folder))
    if (new Set(bytes).size >= MIN_DIFFERENT_BYTES)
      append('secrets', `${JSON.stringify({ name, hex: Buffer.from(bytes).toString('hex') })}\n`);
  for (const file of filesBelow(folder)) if (OUTPUT_FILES.test(basename(file))) append('output', readFileSync(file));
}

function append(kind: 'output' | 'secrets', contents: string | Uint8Array): void {
  const folder = process.env[RECORD_VARIABLE];
  if (folder !== undefined) appendFileSync(join(folder, `${kind}-${process.pid}`), contents);
}

export function readRecord(folder: string): SuiteRecord {
  const secrets = new Map<string, RecordedSecret>();
  const outputs = new Map<string, Buffer>();
  for (const name of readdirSync(folder)) {
    const contents = readFileSync(join(folder, name));
    if (name.startsWith('output')) outputs.set(name, contents);
    else
      for (const line of contents.toString().trim().split('\n')) {
        const { name: secret, hex } = JSON.parse(line) as { name: string; hex: string };
        secrets.set(hex, { name: secret, bytes: Buffer.from(hex, 'hex') });
      }
  }
  return { secrets: [...secrets.values()], outputs };
}
