import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toPoint } from '../../shared/frost/group.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { encodeGroup, type GroupInfo } from '../../shared/home/group-file.js';
import { chainFolder, groupFile } from '../../shared/home/paths.js';
import { must } from '../../shared/invariant.js';
import { systemRandom } from '../../shared/ports/random.js';
import { findChainFiles } from '../find-homes.js';
import { dealKey } from './dealing.js';
import { generateConsensusKey } from './priv-validator-key.js';
import { verifyChain } from './verify-folders.js';

const group = await loadGroup();
const options = { chainId: 'test-1', threshold: 2, count: 3, random: systemRandom };
const { info } = dealKey(group, generateConsensusKey(group, systemRandom), options);
const key = must(info.commitments[0], 'a dealing has commitments');
const NOT_ON_THE_CURVE = toPoint(new Uint8Array(32).fill(2, 0, 1));

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hekate-verify-'));
  mkdirSync(chainFolder(home, 'test-1'), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true }));

/** A home without a share, as a sentry-link's: nothing there makes libsodium look at the commitments. */
test.each<[string, GroupInfo, boolean, string]>([
  ['good', info, true, 'group.json agrees; no share here'],
  [
    'a commitment that is no point',
    { ...info, commitments: [key, NOT_ON_THE_CURVE] },
    false,
    'by the arithmetic of @noble/curves, commitment 2 of 2 is not in the prime-order group',
  ],
])('group.json alone: %s', async (_name, written, ok, expected) => {
  writeFileSync(groupFile(home, 'test-1'), encodeGroup(written));
  const verdict = await verifyChain('test-1', await findChainFiles(home), group, undefined);
  expect([verdict.ok, verdict.findings.at(-1)]).toEqual([ok, { folder: home, ok, text: expected }]);
});
