import { expect, it } from 'vitest';
import { HekateError } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import type { OldChain } from './old-signer.js';
import { planMigration, type Asked, type MigrationPlan } from './plan.js';
import type { Evidence } from './stopped.js';
import { evidence, oldChain, oldSigner } from './testdata/old-chains.js';

const group = await loadGroup();
const ASKED: Asked = {
  nodes: undefined,
  validators: [],
  stoppedByWord: false,
  height: undefined,
  neverSigned: false,
  nowSecond: 1,
};
const ADDRESS = planned().chains[0]!.address;

function planned(
  chain: Partial<OldChain> = {},
  asked: Partial<Asked> = {},
  found: Partial<Evidence> = {},
): MigrationPlan {
  return planMigration(oldSigner(oldChain(group, chain)), evidence(found), { ...ASKED, ...asked });
}

it('a plan that nothing stands against', () => {
  const { chains, refusals, proofs, unproven } = planned();
  expect(refusals).toEqual([]);
  expect(chains).toMatchObject([
    { chainId: 'one', nodes: ['tcp://10.0.0.5:26659'], notes: [], start: { from: '/old/state.json' } },
  ]);
  expect(ADDRESS).toMatch(/^[0-9A-F]{40}$/);
  expect(proofs).toHaveLength(2);
  expect(unproven).toHaveLength(1);
});

it('the nodes that were given take the place of those that the old signer names', () => {
  expect(planned({}, { nodes: ['tcp://10.0.0.9:1'] }).chains[0]!.nodes).toEqual(['tcp://10.0.0.9:1']);
});

it.each([['unix:///run/x.sock'], ['tcp://127.0.0.1:26659'], ['tcp://localhost:26659']])(
  '%s is reached from one host only',
  (node) => {
    expect(planned({ nodes: [node] }).chains[0]!.notes.join()).toContain('reached only from the host of the node');
  },
);

it('the validator that was named is looked for', () => {
  expect(planned({}, { validators: ['AB'.repeat(20), ADDRESS] }).refusals).toEqual([]);
});

it.each<[string, Partial<OldChain>, Partial<Asked>, Partial<Evidence>, string]>([
  ['no node', { nodes: [] }, {}, {}, 'USAGE'],
  ['a node twice', {}, { nodes: ['tcp://10.0.0.5:1', 'tcp://10.0.0.5:01'] }, {}, 'USAGE'],
  ['another validator', {}, { validators: ['AB'.repeat(20)] }, {}, 'KEY_OF_ANOTHER_VALIDATOR'],
  [
    'an RPC that does not answer',
    {},
    {},
    { problems: [new HekateError('RPC_UNREACHABLE', 'gone')] },
    'RPC_UNREACHABLE',
  ],
  ['no start', { state: undefined }, { stoppedByWord: true }, {}, 'WATERMARK_START_MISSING'],
])('%s stands against it', (_name, chain, asked, found, code) => {
  expect(planned(chain, asked, found).refusals.map((refusal) => refusal.code)).toEqual([code]);
});

it('everything that stands against it is said at once', () => {
  const { refusals } = planned({ nodes: [], state: undefined }, { validators: ['AB'.repeat(20)] });
  expect(refusals.map(({ code }) => code)).toEqual([
    'OLD_SIGNER_UNPROVEN',
    'USAGE',
    'KEY_OF_ANOTHER_VALIDATOR',
    'WATERMARK_START_MISSING',
  ]);
});

it('--node is for one chain', () => {
  const old = oldSigner(oldChain(group), oldChain(group, { chainId: 'two' }));
  const { refusals } = planMigration(old, evidence(), { ...ASKED, nodes: ['tcp://10.0.0.9:1'] });
  expect(refusals).toMatchObject([{ code: 'USAGE' }]);
});
