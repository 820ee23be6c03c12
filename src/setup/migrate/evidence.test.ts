import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HekateError } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { gatherEvidence } from './evidence.js';
import type { ChainRpc } from './rpc.js';
import type { Evidence } from './stopped.js';
import { oldChain, oldSigner, stateAt } from './testdata/old-chains.js';

const group = await loadGroup();
let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-evidence-'));
  file = join(dir, 'state.json');
  writeFileSync(file, 'one');
});
afterEach(() => rmSync(dir, { recursive: true }));

const rpc = (network: string): ChainRpc => ({
  url: `http://${network}`,
  status: async () => ({ network, height: 60n, catchingUp: false }),
  commit: async (height) => ({ chainId: network, height, timeMs: 0, signers: new Set() }),
  validators: async () => ({ powers: new Map() }),
});
const broken: ChainRpc = { ...rpc('one'), status: () => Promise.reject(new HekateError('RPC_UNREACHABLE', 'gone')) };

/** `meanwhile` happens while it is watched. */
function gather(rpcs: readonly ChainRpc[], meanwhile = (): void => undefined): Promise<Evidence> {
  const old = oldSigner(oldChain(group, { state: { file, found: stateAt(50n) } }));
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
    meanwhile();
  };
  const inquiry = { nodes: [], rpcs, watchMs: 10_000, proc: join(dir, 'nowhere') };
  return gatherEvidence(old, inquiry, { nowMs: () => nowMs, sleep }, () => 0);
}

it('asks every node of the chains', async () => {
  const { reports, problems, states, processes } = await gather([rpc('one')]);
  expect(reports).toMatchObject([{ url: 'http://one', height: 60n }]);
  expect(problems).toEqual([]);
  expect(states).toMatchObject([{ file, changed: false }]);
  expect(processes).toBeUndefined();
});

it('a state that changes meanwhile', async () => {
  expect((await gather([], () => writeFileSync(file, 'two'))).states).toMatchObject([{ changed: true }]);
});

it.each<[string, ChainRpc, string]>([
  ['is of another chain', rpc('two'), 'RPC_CHAIN_MISMATCH'],
  ['does not answer', broken, 'RPC_UNREACHABLE'],
])('a node that %s does not keep others from being asked', async (_name, other, code) => {
  const { reports, problems } = await gather([other, rpc('one')]);
  expect(problems.map((problem) => problem.code)).toEqual([code]);
  expect(reports).toHaveLength(1);
});
