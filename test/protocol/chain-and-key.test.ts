import { expect, it } from 'vitest';
import type { ChainKey } from '../../src/shared/coordination/messages.js';
import { Cluster } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote } from './votes.js';

it.each<[name: string, about: Partial<ChainKey>, code: string]>([
  ['another key of this chain', { groupPublicKey: new Uint8Array(32).fill(9) }, 'GROUP_MISMATCH'],
  ['this key on another chain', { chainId: 'other-1' }, 'WRONG_CHAIN'],
])(
  'a request about %s: nothing is signed, nothing is written, and the right one still is',
  async (_name, about, code) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const raw = new RawLink(cluster);
    const wanted = vote({ at: [7, 0, 3] });
    expect(await raw.ask([1, 2], wanted, { about })).toMatchObject([{ code }, { code }]);
    expect([1, 2, 3].map((id) => cluster.cosigner(id).durable().height)).toEqual([0n, 0n, 0n]);
    expect(await raw.ask([1, 2], wanted)).toMatchObject([{ kind: 'signed' }, { kind: 'signed' }]);
    expect(cluster.faults).toEqual([]);
  },
);
