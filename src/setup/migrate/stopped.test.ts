import { expect, it } from 'vitest';
import { loadGroup } from '../../shared/frost/load-group.js';
import type { ChainReport } from './chain-watch.js';
import type { OldChain } from './old-signer.js';
import { isSilent, judgeStopped, type Evidence } from './stopped.js';
import { evidence, oldChain, oldSigner, report, stateAt, STATE_FILE } from './testdata/old-chains.js';

const group = await loadGroup();
const STATELESS = { state: undefined } as const;
const ZERO = { state: { file: STATE_FILE, found: stateAt(0n, { step: 0 }) } } as const;
const UNASKED: Partial<Evidence> = { states: [] };
const process = { pid: 7, name: 'tmkms', why: 'runs with tmkms.toml' };

const judged = (chain: Partial<OldChain>, found: Partial<Evidence>, byWord = false): ReturnType<typeof judgeStopped> =>
  judgeStopped(oldSigner(oldChain(group, chain)), evidence(found), byWord);

it.each<[string, Partial<OldChain>, Partial<Evidence>, boolean, string]>([
  ['its state file stands still', {}, {}, false, `${STATE_FILE} did not change for 10 s; it was written 60 s ago`],
  [
    'its chain goes on without it',
    STATELESS,
    { ...UNASKED, reports: [report()] },
    false,
    'one has made 2 blocks to height 60 without a signature of this key',
  ],
  [
    'its chain cannot go on without it',
    STATELESS,
    { ...UNASKED, reports: [report({ newHeights: 0, power: { ours: 1n, total: 3n } })] },
    false,
    'one stands still at height 60, as it must',
  ],
  [
    'one of two nodes shows it',
    STATELESS,
    { ...UNASKED, reports: [report({ catchingUp: true }), report()] },
    false,
    'without a signature',
  ],
  [
    'nothing can be asked, and an operator says so',
    STATELESS,
    UNASKED,
    true,
    'you say that the old signer of one is stopped',
  ],
  ['its state says nothing, and an operator says so', ZERO, {}, true, 'you say that the old signer of one is stopped'],
  ['no process of it is there', {}, {}, false, 'no process of it runs on this host'],
])('is stopped: %s', (_name, chain, found, byWord, proof) => {
  const { proofs, refusals } = judged(chain, found, byWord);
  expect(refusals).toEqual([]);
  expect(proofs.join('\n')).toContain(proof);
});

it.each<[string, Partial<Evidence>, string]>([
  ['a process', { processes: { found: [process], others: [], hidden: 0 } }, 'process 7 (tmkms) runs with tmkms.toml'],
  [
    'a connection',
    { connected: ['tcp://10.0.0.5:26659'] },
    'somebody on this host is connected to tcp://10.0.0.5:26659',
  ],
  [
    'a state that changes',
    { states: [{ file: STATE_FILE, ageSeconds: 0, changed: true }] },
    'changed while it was watched',
  ],
  [
    'a signature',
    { reports: [report({ signedMeanwhile: [59n, 60n] })] },
    'has a signature of this key at height 60 of one',
  ],
  [
    'a signature that one of two nodes has',
    { reports: [report(), report({ signedMeanwhile: [60n] })] },
    'has a signature of this key at height 60',
  ],
])('lives by %s, whatever an operator says', (_name, found, problem) => {
  for (const chain of [{}, STATELESS])
    expect(judged(chain, found, true).refusals).toContainEqual(
      expect.objectContaining({ code: 'OLD_SIGNER_RUNS', message: expect.stringContaining(problem) as string }),
    );
});

it.each<[string, Partial<OldChain>, Partial<Evidence>, boolean, string]>([
  ['nothing was asked', STATELESS, UNASKED, false, 'neither a state file that says where it signed, nor an --rpc'],
  ['the state was made anew', ZERO, {}, false, 'neither a state file'],
  [
    'the node is behind, and that could be mended',
    STATELESS,
    { ...UNASKED, reports: [report({ catchingUp: true })] },
    true,
    'is catching up with one',
  ],
  [
    'it is no validator',
    STATELESS,
    { ...UNASKED, reports: [report({ power: undefined })] },
    true,
    'none of the validators of one',
  ],
  [
    'the chain stands still for another reason',
    STATELESS,
    { ...UNASKED, reports: [report({ newHeights: 0 })] },
    true,
    'stays at height 60',
  ],
  [
    'there was one block alone',
    STATELESS,
    { ...UNASKED, reports: [report({ newHeights: 1 })] },
    true,
    'only one new block',
  ],
])('nothing shows that it is stopped: %s', (_name, chain, found, byWord, problem) => {
  const { refusals } = judged(chain, found, byWord);
  expect(refusals).toEqual([expect.objectContaining({ code: 'OLD_SIGNER_UNPROVEN' })]);
  expect(refusals[0]!.message).toContain(problem);
});

it.each<[string, Partial<Evidence>, string]>([
  ['no RPC', {}, 'that the key of one signs nowhere else: no RPC of that chain has answered'],
  ['an RPC that is behind', { reports: [report({ catchingUp: true })] }, 'is catching up with one'],
  ['no processes to see', { processes: undefined }, 'this system does not show its processes'],
  [
    'processes of others',
    { processes: { found: [], others: [], hidden: 3 } },
    'that none of 3 processes of other users',
  ],
  [
    'another one of its kind',
    { processes: { found: [], others: [process], hidden: 0 } },
    'that process 7 (tmkms), which runs with tmkms.toml, does not sign with the same key',
  ],
])('says what it could not prove: %s', (_name, found, text) => {
  const { unproven, refusals } = judged({}, found);
  expect(refusals).toEqual([]);
  expect(unproven.join('\n')).toContain(text);
});

it('each of several chains is judged by its own', () => {
  const other = oldChain(group, { chainId: 'two', state: { file: '/old/two.json', found: stateAt(9n) } });
  const { refusals } = judgeStopped(oldSigner(oldChain(group), other), evidence(), false);
  expect(refusals.map(({ message }) => message)).toEqual([expect.stringContaining('the old signer of two')]);
});

it.each<[string, Partial<ChainReport>, boolean]>([
  ['two blocks', {}, true],
  ['one block', { newHeights: 1 }, false],
  ['none, with a third of the power', { newHeights: 0, power: { ours: 1n, total: 3n } }, true],
  ['none for long, on a slow chain', { newHeights: 0, power: { ours: 1n, total: 1n }, usualMs: 4_000 }, false],
  [
    'none, on a chain that has only begun',
    { newHeights: 0, power: { ours: 1n, total: 1n }, usualMs: undefined },
    false,
  ],
  ['none, with less', { newHeights: 0, power: { ours: 333n, total: 1000n } }, false],
  ['a signature', { signedMeanwhile: [60n] }, false],
])('silence of %s', (_name, change, silent) => {
  expect(isSilent(report(change))).toBe(silent);
});
