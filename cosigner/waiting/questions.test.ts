import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog, type LogFields } from '../../src/shared/ports/log.js';
import {
  answerBytes,
  questionBytes,
  type WaitAnswer,
  type WaitQuestion,
} from '../../src/shared/watermark/wait-messages.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { signatureOf, testKeys } from '../../test/support/test-keys.js';
import { Answerer } from './answerer.js';
import { Asker, type WaitingChain } from './asker.js';
import { Forgeries } from './forgeries.js';

const KEY = new Uint8Array(32).fill(9);
const OTHER_KEY = new Uint8Array(32).fill(8);
const BYTES = new Uint8Array(32).fill(1);
const PLACE = { height: 7n, round: 1, step: 3 };

type Unsigned<T> = Omit<T, 'kind' | 'signature'>;
const question = (changes: Partial<Unsigned<WaitQuestion>> = {}, signer = 1): WaitQuestion => {
  const unsigned = { chainId: 'test-1', groupPublicKey: KEY, asker: 1, asked: 2, question: BYTES, ...changes };
  return { kind: 'waitQuestion', ...unsigned, signature: signatureOf(signer, questionBytes(unsigned)) };
};
const answer = (changes: Partial<Unsigned<WaitAnswer>> = {}, signer = 2): WaitAnswer => {
  const key = { chainId: 'test-1', groupPublicKey: KEY };
  const unsigned = { ...key, asker: 1, answerer: 2, question: BYTES, place: PLACE, waiting: false, ...changes };
  return { kind: 'waitAnswer', ...unsigned, signature: signatureOf(signer, answerBytes(unsigned)) };
};

let clock: ManualClock;
let forgeries: Forgeries;
let told: LogFields[];
beforeEach(() => {
  [clock, told] = [new ManualClock(), []];
  forgeries = new Forgeries(clock, { ...silentLog, error: (_event, fields = {}) => void told.push(fields) });
});

describe('a cosigner that is asked where it stands', () => {
  let fences: number;
  let answerer: Answerer;
  beforeEach(() => {
    fences = 0;
    const others = { fence: async () => (fences++, { place: PLACE, waiting: true }) };
    const chain = { chainId: 'test-1', groupPublicKey: KEY, others };
    const chainOf = (id: string): typeof chain | undefined => (id === 'test-1' ? chain : undefined);
    answerer = new Answerer(2, { keys: testKeys(2), forgeries, clock, chain: chainOf });
  });

  it('answers that question, signed', async () => {
    expect(await answerer.answer('a', question())).toEqual(answer({ waiting: true }));
    expect(fences).toBe(1);
  });

  it.each<[name: string, asked: WaitQuestion, isForgery: boolean]>([
    ['of another chain', question({ chainId: 'test-2' }), false],
    ['of another key', question({ groupPublicKey: OTHER_KEY }), false],
    ['to somebody else', question({ asked: 3 }), false],
    ['signed by another cosigner', question({}, 3), true],
    ['of a cosigner that is none', question({ asker: 9 }, 1), true],
    ['changed on its way', { ...question(), question: new Uint8Array(32) }, true],
  ])('not a question %s: no answer, no nonces are thrown away', async (_name, asked, isForgery) => {
    expect(await answerer.answer('a', asked)).toBeUndefined();
    expect(fences).toBe(0);
    expect(told).toMatchObject(isForgery ? [{ code: 'ANSWER_INVALID', link: 'a' }] : []);
  });

  it('gives every link the same answer, and throws nonces away once a second, after a minute once in ten', async () => {
    const ask = async (seconds: number): Promise<number> => {
      const before = fences;
      for (let ms = 0; ms < seconds * 1_000; ms += 250) {
        for (const link of ['a', 'b', 'c']) expect(await answerer.answer(link, question())).toBeDefined();
        clock.advance(250);
      }
      return fences - before;
    };
    expect(await ask(60)).toBe(60);
    expect(await ask(60)).toBe(6);
  });

  it('another question of the same cosigner on the same link counts for the same second', async () => {
    expect(await answerer.answer('a', question())).toBeDefined();
    const next = question({ question: new Uint8Array(32).fill(2) });
    expect(await answerer.answer('a', next)).toBeUndefined();
    clock.advance(1_000);
    expect(await answerer.answer('a', next)).toBeDefined();
    expect(fences).toBe(2);
  });

  it('a link that brings older questions again holds up no other link', async () => {
    const old = [2, 3, 4].map((fill) => question({ question: new Uint8Array(32).fill(fill) }));
    for (let second = 0; second < 5; second++) {
      for (const again of old) await answerer.answer('liar', again);
      expect(await answerer.answer('a', question())).toBeDefined();
      expect(await answerer.answer('b', question())).toBeDefined();
      clock.advance(1_000);
    }
    expect(fences).toBe(10);
  });

  it('a link that forges is not looked at for a moment, the others are', async () => {
    expect(await answerer.answer('liar', question({}, 3))).toBeUndefined();
    expect(await answerer.answer('liar', question())).toBeUndefined();
    expect(await answerer.answer('a', question())).toBeDefined();
    clock.advance(1_000);
    expect(await answerer.answer('liar', question())).toBeDefined();
  });
});

describe('a cosigner that waits', () => {
  let waiting: boolean;
  let heard: unknown[];
  let asker: Asker;
  let current: Uint8Array;
  beforeEach(() => {
    [waiting, heard, current] = [true, [], BYTES];
    const wait = {
      get waiting() {
        return waiting;
      },
      ask: () => ({ question: current, asked: [2, 3] }),
      isCurrent: (bytes: Uint8Array) => Buffer.compare(bytes, current) === 0,
    };
    const hear = async ({ answerer, place }: { answerer: number; place: unknown }): Promise<void> =>
      void heard.push([answerer, place]);
    const chain = { chainId: 'test-1', groupPublicKey: KEY, others: { wait, hear } } as unknown as WaitingChain;
    const chainOf = (id: string): WaitingChain | undefined => (id === 'test-1' ? chain : undefined);
    asker = new Asker(1, { keys: testKeys(1), forgeries, chain: chainOf, chains: () => [chain] });
  });

  it('asks each of the others, with its signature, until it waits no longer', () => {
    expect(asker.questions()).toEqual([question(), question({ asked: 3 })]);
    waiting = false;
    expect(asker.questions()).toBeUndefined();
  });

  it.each<[name: string, told: () => WaitAnswer, counts: boolean, isForgery: boolean]>([
    ['to its question', () => answer(), true, false],
    ['of another chain', () => answer({ chainId: 'test-2' }), false, false],
    ['of another key', () => answer({ groupPublicKey: OTHER_KEY }), false, false],
    ['to another asker', () => answer({ asker: 3 }), false, false],
    ['to another question', () => answer({ question: new Uint8Array(32) }), false, false],
    ['signed by another cosigner', () => answer({}, 3), false, true],
    ['of a cosigner that is none', () => answer({ answerer: 9 }, 2), false, true],
    ['with another place than was signed', () => ({ ...answer(), place: { ...PLACE, height: 1n } }), false, true],
    ['that says it does not wait, and did', () => ({ ...answer({ waiting: true }), waiting: false }), false, true],
  ])('an answer %s', async (_name, told_, counts, isForgery) => {
    await asker.hear('a', told_());
    expect(heard).toEqual(counts ? [[2, PLACE]] : []);
    expect(told).toMatchObject(isForgery ? [{ code: 'ANSWER_INVALID', link: 'a' }] : []);
  });

  it('an old answer again, once another question is asked, is not heard', async () => {
    current = new Uint8Array(32).fill(2);
    await asker.hear('a', answer());
    expect(heard).toEqual([]);
  });

  it('the same answer on three links is heard once', async () => {
    for (const link of ['a', 'b', 'c']) await asker.hear(link, answer());
    expect(heard).toHaveLength(1);
  });
});
