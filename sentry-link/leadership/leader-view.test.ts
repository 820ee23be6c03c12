import { expect, it } from 'vitest';
import type { HeartbeatReply } from '../../src/shared/coordination/messages.js';
import { LeaderView } from './leader-view.js';

type Heard = readonly [cosigner: number, holder: string, term: number, atMs: number, remainingMs: number];

const reply = (holder: string, term: number, remainingMs: number): HeartbeatReply => ({
  kind: 'heartbeatReply',
  id: 1,
  granted: false,
  term,
  holder,
  remainingMs,
  renewedTerm: 0,
  otherLink: false,
  chains: [],
});

it.each<[name: string, heard: readonly Heard[], leader: string]>([
  ['nothing was heard', [], 'nobody'],
  ['all name one', [1, 2, 3].map((id) => [id, 'a', 4, 0, 900] as const), 'a in term 4'],
  ['one within reach names it', [[2, 'a', 4, 0, 900]], 'a in term 4'],
  [
    'most name another',
    [
      [1, 'a', 4, 0, 900],
      [2, 'b', 3, 0, 900],
      [3, 'b', 3, 0, 900],
    ],
    'b in term 3',
  ],
  [
    'as many: the newest term',
    [
      [1, 'a', 4, 0, 900],
      [2, 'b', 5, 0, 900],
    ],
    'b in term 5',
  ],
  ['its promise ran out', [[1, 'a', 4, 0, 500]], 'nobody'],
  [
    'it was prolonged',
    [
      [1, 'a', 4, 0, 500],
      [1, 'a', 4, 300, 500],
    ],
    'a in term 4',
  ],
  [
    'it was given back',
    [
      [1, 'a', 4, 0, 900],
      [1, '', 4, 100, 0],
    ],
    'nobody',
  ],
  [
    'one names somebody of whom the others have not heard',
    [
      [1, '', 4, 0, 0],
      [2, 'ghost', 9, 0, 900],
      [3, '', 4, 0, 0],
    ],
    'nobody',
  ],
  ['one names somebody for days', [[2, 'ghost', 9, -500, 2 ** 31 - 1]], 'nobody'],
  ['a cosigner that just started holds down', [[1, '', 0, 0, 900]], 'nobody'],
])('who leads: %s', (_name, heard, expected) => {
  const view = new LeaderView();
  for (const [cosigner, holder, term, atMs, remainingMs] of heard)
    view.note(cosigner, reply(holder, term, remainingMs), atMs);
  const leader = view.leader(600);
  expect(leader === undefined ? 'nobody' : `${leader.name} in term ${leader.term}`).toBe(expected);
});
