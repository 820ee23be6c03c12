import { beforeEach, expect, it } from 'vitest';
import type { Carried } from '../../src/shared/coordination/messages.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { Postman } from './postman.js';

const BYTES = new Uint8Array(32);
const COMMON = { chainId: 'test-1', groupPublicKey: BYTES, question: BYTES, signature: BYTES };
const question = (asker: number, asked: number): Carried => ({ kind: 'waitQuestion', ...COMMON, asker, asked });
const answer = (answerer: number, asker: number): Carried => {
  return { kind: 'waitAnswer', ...COMMON, asker, answerer, place: { height: 1n, round: 0, step: 1 }, waiting: false };
};

let clock: ManualClock;
let sent: number[];
let postman: Postman;
beforeEach(() => {
  [clock, sent] = [new ManualClock(), []];
  postman = new Postman({ clock, cosigners: [1, 2, 3], chains: 1, send: (to) => sent.push(to) });
});

it.each<[name: string, from: number, message: Carried, to: readonly number[]]>([
  ['a question goes to who is asked', 1, question(1, 2), [2]],
  ['an answer goes to who asked', 2, answer(2, 1), [1]],
  ['not a question in the name of another', 3, question(1, 2), []],
  ['not an answer in the name of another', 3, answer(2, 1), []],
  ['not to itself', 1, question(1, 1), []],
  ['not to one that there is not', 1, question(1, 9), []],
])('%s', (_name, from, message, to) => {
  postman.carry(from, message);
  expect(sent).toEqual(to);
});

it('one that floods is carried no further for the rest of a second, and the others are', () => {
  for (let i = 0; i < 1_000; i++) postman.carry(1, question(1, 2));
  expect(sent).toHaveLength(24);
  postman.carry(3, question(3, 2));
  expect(sent).toHaveLength(25);
  clock.advance(1_000);
  postman.carry(1, question(1, 2));
  expect(sent).toHaveLength(26);
});
