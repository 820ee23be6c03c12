import { createPrivateKey, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { isHekateError } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { describePlace } from '../../shared/watermark/watermark.js';
import type { ChainReport } from './chain-watch.js';
import { chooseMigrationStart, type AskedStart } from './migration-start.js';
import type { OldChain } from './old-signer.js';
import { oldChain, report, stateAt, STATE_FILE } from './testdata/old-chains.js';

const group = await loadGroup();
const NOW = 1_700_000_000;
const at = (...place: Parameters<typeof stateAt>): Partial<OldChain> => ({
  state: { file: STATE_FILE, found: stateAt(...place) },
});
const ZERO = at(0n, { step: 0 });
const NONE = { state: undefined } as const;

function chosen(
  chain: Partial<OldChain>,
  reports: readonly ChainReport[],
  asked: Partial<AskedStart>,
): ReturnType<typeof chooseMigrationStart> {
  return chooseMigrationStart(
    oldChain(group, chain),
    reports,
    { height: undefined, neverSigned: false, ...asked },
    NOW,
  );
}

it.each<[string, Partial<OldChain>, readonly ChainReport[], Partial<AskedStart>, string, string]>([
  ['the state alone', {}, [], {}, 'height 50, round 0, precommit', STATE_FILE],
  ['the state above the chain', at(61n, { step: 2 }), [report()], {}, 'height 61, round 0, prevote', STATE_FILE],
  ['the end of the height of the chain', at(60n), [report()], {}, 'all of height 60', 'http://node:26657'],
  ['the chain above the state', {}, [report()], {}, 'all of height 60', 'http://node:26657'],
  [
    'the higher of two nodes',
    {},
    [report(), report({ url: 'http://b', height: 61n })],
    {},
    'all of height 61',
    'http://b',
  ],
  [
    'a node that is behind counts as far as it is',
    {},
    [report({ catchingUp: true })],
    {},
    'all of height 60',
    'http://node:26657',
  ],
  ['--height above all', {}, [report()], { height: 99n }, 'all of height 99', '--height'],
  ['--height below the state lowers nothing', {}, [], { height: 9n }, 'height 50, round 0, precommit', STATE_FILE],
  ['--height below the chain lowers nothing', {}, [report()], { height: 9n }, 'all of height 60', 'http://node:26657'],
  ['the chain alone, that goes on', NONE, [report()], {}, 'all of height 60', 'http://node:26657'],
  ['--height alone', NONE, [], { height: 9n }, 'all of height 9', '--height'],
  ['a state at zero, with --height', ZERO, [], { height: 9n }, 'all of height 9', '--height'],
  [
    'what the key file says',
    { ...NONE, lastSigned: { height: 70n, round: 1, step: 2 } },
    [report()],
    {},
    'height 70, round 1, prevote',
    '/old/key.json',
  ],
  ['never signed, with nothing else', NONE, [], { neverSigned: true }, 'no height yet', '--never-signed'],
  ['never signed, with a state at zero', ZERO, [], { neverSigned: true }, 'no height yet', '--never-signed'],
  [
    'never signed, on a chain that is there',
    NONE,
    [report({ power: undefined })],
    { neverSigned: true },
    'all of height 60',
    'http://node:26657',
  ],
  [
    'a chain far ahead, that an operator answers for',
    at(50n),
    [report({ height: 200_000n })],
    { height: 200_000n },
    'all of height 200000',
    'http://node:26657',
  ],
  [
    'a state that was lost, that an operator answers for',
    at(50n),
    [report({ lastSigned: 58n })],
    { height: 58n },
    'all of height 60',
    'http://node:26657',
  ],
])('%s', (_name, chain, reports, asked, place, from) => {
  const found = chosen(chain, reports, asked);
  expect([describePlace(found.start), found.from]).toEqual([place, from]);
});

it.each<[string, Partial<OldChain>, readonly ChainReport[], Partial<AskedStart>, string]>([
  ['nothing', NONE, [], {}, 'WATERMARK_START_MISSING'],
  ['a chain that has not begun', NONE, [report({ height: 0n })], {}, 'WATERMARK_START_MISSING'],
  ['a state at zero', ZERO, [], {}, 'WATERMARK_START_UNSURE'],
  ['height 0', NONE, [], { height: 0n }, 'WATERMARK_START_UNSURE'],
  [
    'a chain alone that stands still',
    NONE,
    [report({ newHeights: 0, power: { ours: 1n, total: 1n } })],
    {},
    'WATERMARK_START_UNSURE',
  ],
  ['a chain alone, by a node that is behind', NONE, [report({ catchingUp: true })], {}, 'WATERMARK_START_UNSURE'],
  [
    'never signed, and a state',
    {},
    [],
    { neverSigned: true },
    'WATERMARK_START_CONTRADICTED: --never-signed, but its own file says',
  ],
  [
    'never signed, and what the key file says',
    { ...NONE, lastSigned: { height: 7n, round: 0, step: 1 } },
    [],
    { neverSigned: true },
    'WATERMARK_START_CONTRADICTED',
  ],
  [
    'never signed, and a signature on the chain',
    NONE,
    [report({ lastSigned: 58n })],
    { neverSigned: true },
    'has a signature of this key at height 58',
  ],
  ['a state older than the chain', {}, [report({ lastSigned: 58n })], {}, 'OLD_STATE_BEHIND'],
  ['the same, with a height below', {}, [report({ lastSigned: 58n })], { height: 57n }, 'OLD_STATE_BEHIND'],
  ['a state of a chain that is further', at(63n), [report()], {}, 'OLD_STATE_AHEAD'],
  ['a chain far ahead of the state', at(50n), [report({ height: 200_000n })], {}, 'RPC_INVALID'],
  [
    'two nodes that contradict each other',
    {},
    [report(), report({ url: 'http://b', height: 500n })],
    {},
    'RPC_INVALID',
  ],
  ['sign bytes that the key did not sign', at(50n, {}, new Uint8Array(64)), [], {}, 'STATE_IMPORT_INVALID'],
])('refuses %s', (_name, chain, reports, asked, problem) => {
  let line = 'taken';
  try {
    chosen(chain, reports, asked);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    line = error.toLine();
  }
  expect(line).toContain(problem);
});

it('sign bytes that the key signed can be signed again', () => {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]);
  const { signBytes } = stateAt(50n, {}, new Uint8Array(64)).watermark;
  const signature = sign(null, signBytes!.bytes, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  expect(chosen(at(50n, {}, new Uint8Array(signature)), [], {}).start.signBytes).toEqual(signBytes);
});
