import { describe, expect, it } from 'vitest';
import { isHekateError } from '../../src/shared/errors.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { transferRequest, type CanTransfer } from './transfer-request.js';

interface Given {
  readonly term?: number;
  readonly leader?: string;
  readonly standbys?: readonly string[];
  /** Who leads once it has let go. */
  readonly next?: string;
}

/** A link named a, and whom it handed over to. */
function linkOf({ term, leader, standbys = [], next }: Given): { link: CanTransfer; to: string[] } {
  const to: string[] = [];
  const link: CanTransfer = {
    name: 'a',
    term: () => (to.length === 0 ? term : undefined),
    leader: () => {
      const name = to.length === 0 ? leader : next;
      return name === undefined ? undefined : { name, term: 1 };
    },
    standbys: () => standbys,
    handOver: async (name) => void to.push(name),
  };
  return { link, to };
}

async function transfer(given: Given, params: unknown): Promise<{ said: string; to: readonly string[] }> {
  const clock = new ManualClock();
  const { link, to } = linkOf(given);
  let said = '';
  void transferRequest(
    link,
    clock,
  )(params).then(
    (answer) => (said = JSON.stringify(answer)),
    (error: unknown) => (said = isHekateError(error) ? error.toLine() : String(error)),
  );
  await clock.pass(5_000);
  return { said, to };
}

const LEADS = { term: 7, leader: 'a', standbys: ['b', 'c'], next: 'b' };

describe('hekate leader transfer', () => {
  it.each<[name: string, given: Given, params: unknown, said: RegExp, to: readonly string[]]>([
    ['to one that is ready', LEADS, {}, /^\{"from":"a","to":"b"\}$/, ['b']],
    ['to the one that is named', { ...LEADS, next: 'c' }, { to: 'c' }, /"to":"c"/, ['c']],
    ['without params', LEADS, undefined, /"to":"b"/, ['b']],
    [
      'where another leads',
      { leader: 'b' },
      {},
      /^NOT_LEADER: a does not lead, b does\. Fix: run it on the host of b/,
      [],
    ],
    ['where nobody leads', {}, {}, /^NOT_LEADER: no sentry-link leads now/, []],
    ['where it leads no more and does not know it', { leader: 'a' }, {}, /^NOT_LEADER: no sentry-link leads now/, []],
    [
      'to one that is not ready',
      LEADS,
      { to: 'd' },
      /^LINK_NOT_READY: no sentry-link named d is .*; ready: b, c\. Fix/,
      [],
    ],
    ['to itself', LEADS, { to: 'a' }, /^LINK_NOT_READY: a is the one that leads/, []],
    ['where none is ready', { ...LEADS, standbys: [] }, {}, /^LINK_NOT_READY: there is none to hand over to/, []],
    ['to one that does not take it', { ...LEADS, next: 'a' }, {}, /^HANDOVER_FAILED: b has not taken the lease/, ['b']],
    ['with a name too long', LEADS, { to: 'b'.repeat(65) }, /^COMMAND_INVALID: to: /, []],
    ['with what it does not know', LEADS, { from: 'a' }, /^COMMAND_INVALID/, []],
  ])('%s', async (_name, given, params, said, to) => {
    const seen = await transfer(given, params);
    expect(seen.said).toMatch(said);
    expect(seen.to).toEqual(to);
  });

  it('a second one while the first is under way is refused', async () => {
    const clock = new ManualClock();
    const { link } = linkOf({ ...LEADS, next: 'a' });
    const term = 7;
    const request = transferRequest({ ...link, term: () => term }, clock);
    const first = expect(request({})).rejects.toMatchObject({ code: 'HANDOVER_FAILED' });
    await expect(request({})).rejects.toMatchObject({ code: 'BUSY' });
    await clock.pass(5_000);
    await first;
  });
});
