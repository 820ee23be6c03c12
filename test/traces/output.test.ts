import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNeedles } from '../support/memory-scan.js';
import { textNeedles, windows } from '../support/secret-needles.js';
import { readRecord, recordOutput, RECORD_VARIABLE, type SuiteRecord } from '../support/suite-record.js';

/** This runs after all other tests: their record, before anything here goes to another. */
const suite = process.env[RECORD_VARIABLE];

/** Names of secrets, with the output that they are in. */
function secretsInOutput({ secrets, outputs }: SuiteRecord): string[] {
  const needles = secrets.flatMap(({ name, bytes }) => [...windows(name, bytes), ...textNeedles(name, bytes)]);
  const found = new Set<string>();
  for (const [output, contents] of outputs)
    for (const { name } of findNeedles(contents, needles)) found.add(`${name} in ${output}`);
  return [...found];
}

it('no output of the whole suite has a secret that it made', (context) => {
  const record = suite === undefined ? undefined : readRecord(suite);
  if (record === undefined || record.secrets.length === 0) return context.skip('no other tests ran before');
  expect(secretsInOutput(record)).toEqual([]);
  expect(record.outputs.size).toBeGreaterThan(0);
});

describe('a secret in output is found', () => {
  const SHARE = '6b2f0d1c9e8a7b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b0c';
  const share = Buffer.from(SHARE, 'hex');
  let record: string;
  let home: string;

  beforeEach(() => {
    record = mkdtempSync(join(tmpdir(), 'hk-planted-'));
    process.env[RECORD_VARIABLE] = record;
    home = mkdtempSync(join(tmpdir(), 'hk-home-'));
    mkdirSync(join(home, 'chains'));
    writeFileSync(join(home, 'chains', 'share.key'), `${SHARE}\n`);
  });
  afterEach(() => {
    process.env[RECORD_VARIABLE] = suite;
    if (suite === undefined) delete process.env[RECORD_VARIABLE];
    rmSync(record, { recursive: true });
  });

  it.each<[string, () => unknown, boolean]>([
    ['nowhere', () => undefined, false],
    ['the hash of it', () => recordOutput(share.map((byte) => byte ^ 1)), false],
    ['collected by a test', () => recordOutput(`error: ${SHARE}`), true],
    ['printed by a child', () => print('stdout', SHARE), true],
    ['printed by a child as an error', () => print('stderr', SHARE), true],
    ['in upper case', () => print('stdout', SHARE.toUpperCase()), true],
    ['half of it', () => print('stdout', SHARE.slice(32)), true],
    ['in base64', () => print('stdout', share.toString('base64')), true],
    [
      'in base64 among other bytes',
      () => print('stdout', `${Buffer.concat([Buffer.from('ab'), share]).toString('base64')}`),
      true,
    ],
    ['as it is', () => recordOutput(share), true],
    ['in a log', () => writeFileSync(join(home, 'cosigner-1.log'), `{"share":"${SHARE}"}\n`), true],
    ['in a configuration', () => writeFileSync(join(home, 'cosigner.toml'), `share = "${SHARE}"\n`), true],
  ])('%s', async (_name, leak, isFound) => {
    await leak();
    rmSync(home, { recursive: true });
    expect(secretsInOutput(readRecord(record)).length > 0).toBe(isFound);
  });

  function print(stream: 'stdout' | 'stderr', text: string): Promise<unknown> {
    return promisify(execFile)(process.execPath, ['-e', `process.${stream}.write(${JSON.stringify(text)})`]);
  }
});
