import { beforeEach, describe, expect, it } from 'vitest';
import type {
  ChainKey,
  CosignerMessage,
  LinkHello,
  NonceCommitment,
  SignReply,
  SignRequest,
} from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { newPoint, newScalar } from '../../src/shared/frost/group.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import type { WaitAnswer, WaitQuestion } from '../../src/shared/watermark/wait-messages.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { scalarOf, seededRandom } from '../../src/shared/frost/testdata/fixture.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { InFlight } from '../../src/shared/in-flight.js';
import { silentLog } from '../../src/shared/ports/log.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import type { SigningStream } from '../signing/chain-signer.js';
import { LeaseTable } from '../lease-table.js';
import { LinkSession, type SessionHost } from './link-session.js';
import { NoncePool } from '../signing/nonce-pool.js';

const CHAINS = ['one', 'two'];
const TARGET = 8;
const group = await loadGroup();
const random = seededRandom('link session');
const bytes = (fill = 5): Uint8Array => new Uint8Array(32).fill(fill);

const SHARE = { groupCommitment: newPoint(), share: toSignatureShare(newScalar()) };
const KEY = bytes(9);
const HELLO = { kind: 'linkHello', ...ownRelease('1'), newest: [] } as const;
/** What became of one pair: its secrets, to see whether they are wiped. */
type Secrets = readonly Uint8Array[];

describe('link session', () => {
  let clock: ManualClock;
  let sent: CosignerMessage[];
  let made: Secrets[];
  let leases: LeaseTable;
  let answers: unknown[];
  let questions: readonly WaitQuestion[] | undefined;
  const fences = new Map<string, () => void>();
  let faults: unknown[];
  let heard: unknown[];
  let ended: string[];
  let free: string[];
  /** What the chain does with a request; it takes one nonce pair, as the real one does. */
  let answer: (request: SignRequest, admits: () => boolean) => Promise<SignReply>;
  /** What the chain does with a signature that is shown. */
  let learn: (proof: Proof) => Promise<void>;
  let host: SessionHost;
  let inFlight: InFlight;

  const told = (chainId: string): NonceCommitment[] =>
    sent.flatMap((message) => {
      const batch = message.kind === 'signed' ? message.fresh : message;
      return batch?.kind === 'nonceBatch' && batch.chainId === chainId ? batch.commitments : [];
    });
  const refused = (id: number): SignReply => ({ kind: 'refused', id, code: 'BUSY', message: '' });
  const request = (id: number, chainId = 'one'): SignRequest => ({
    kind: 'signRequest',
    id,
    term: 1,
    chainId,
    groupPublicKey: KEY,
    signBytes: bytes(),
    extension: undefined,
    settle: false,
    signers: [{ id: 1, vote: told(chainId)[id - 1] ?? told(chainId)[0]!, extension: undefined }],
  });
  const settled = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(0);
  };

  beforeEach(() => {
    clock = new ManualClock();
    [sent, made, answers, faults, heard, ended, free] = [[], [], [], [], [], [], []];
    questions = undefined;
    fences.clear();
    learn = () => Promise.resolve();
    leases = new LeaseTable(-10_000, 1_000);
    answer = async ({ id }) => refused(id);
    const generate = () => {
      const issued = generateNonces(group, scalarOf(5), random);
      made.push([issued.nonces.hiding, issued.nonces.binding]);
      return issued;
    };
    const chains = CHAINS.map((chainId) => ({
      chainId,
      groupPublicKey: KEY,
      others: { learn: (proof: Proof) => learn(proof) },
      open: (onDiscarded: () => void): SigningStream => {
        const pool = new NoncePool(generate, TARGET, onDiscarded);
        fences.set(chainId, () => pool.discard());
        const sign: SigningStream['sign'] = (asked, admits) => {
          pool.take(asked.signers[0]!.vote.nonceId);
          return answer(asked, admits);
        };
        return { nonces: pool, sign, close: () => pool.close() };
      },
    }));
    inFlight = new InFlight();
    host = {
      leases,
      leaseEnded: (link) => void free.push(link),
      chain: (chainId) => chains[CHAINS.indexOf(chainId)],
      chains: () => chains,
      report: () => [],
      hello: () => ({ kind: 'cosignerHello', ...ownRelease('1'), id: 1, chains: [] }),
      heard: (link, release) => void heard.push([link, release.version, release.protocol]),
      questions: () => questions,
      answer: async (_link, question) => (question.asked === 1 ? ANSWER : undefined),
      hear: async (link, { answerer }) => void answers.push([link, answerer]),
    };
  });
  const open = (name = 'link-1'): LinkSession => {
    const session = new LinkSession(name, host, {
      clock,
      log: silentLog,
      send: (message) => sent.push(message),
      end: ({ code, message, fix }) => ended.push(`${code}: ${message}. ${fix}`),
      inFlight,
      onFault: (error) => faults.push(error),
      closed: () => undefined,
    });
    session.start();
    return session;
  };

  it('says hello first, then gives each chain its target of nonces, in portions', () => {
    open();
    expect(sent.map(({ kind }) => kind)).toEqual(['cosignerHello', 'nonceBatch', 'nonceBatch']);
    clock.advance(0);
    expect(CHAINS.map((chainId) => told(chainId).length)).toEqual([TARGET, TARGET]);
    expect(clock.pending).toBe(0);
  });

  it('replaces what is used, after the answer has left, and never holds more than its target', async () => {
    const session = open();
    clock.advance(0);
    for (let id = 1; id <= 40; id++) {
      const before = sent.length;
      session.receive(request(id));
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent.slice(before).map(({ kind }) => kind)).toEqual(['refused']);
      clock.advance(0);
      expect(told('one').length - id).toBeGreaterThanOrEqual(TARGET / 2);
      expect(told('one').length - id).toBeLessThanOrEqual(TARGET);
    }
    expect(new Set(told('one').map(({ nonceId }) => nonceId)).size).toBe(told('one').length);
    expect(told('two')).toHaveLength(TARGET);
  });

  it('with a share travels what was made since the last one, in no message of its own', async () => {
    answer = async ({ id }) => ({ kind: 'signed', id, vote: SHARE, extension: undefined });
    const session = open();
    clock.advance(0);
    for (let id = 1; id <= 40; id++) {
      const before = sent.length;
      session.receive(request(id));
      await settled();
      expect(sent.slice(before).map(({ kind }) => kind)).toEqual(['signed']);
      // What replaces the pair of this request goes with the next answer.
      expect(told('one')).toHaveLength(TARGET + id - 1);
    }
    expect(new Set(told('one').map(({ nonceId }) => nonceId)).size).toBe(told('one').length);
  });

  it('the nonces of a stream die with it, and are of no use on another', async () => {
    const first = open();
    clock.advance(0);
    const old = request(1);
    first.close();
    expect(made.every((secrets) => secrets.every((one) => one.every((byte) => byte === 0)))).toBe(true);
    const second = open();
    clock.advance(0);
    sent = [];
    first.receive(old);
    await settled();
    expect(sent).toEqual([]);
    second.close();
    clock.advance(1_000);
    expect(made).toHaveLength(2 * CHAINS.length * TARGET);
  });

  it('closed while it fills: makes no more', () => {
    open().close();
    const before = made.length;
    clock.advance(1_000);
    expect(made).toHaveLength(before);
  });

  it('ended while it greets: makes no nonces', () => {
    const session: LinkSession = new LinkSession('link-1', host, {
      clock,
      log: silentLog,
      send: () => session.close(),
      end: () => undefined,
      inFlight,
      onFault: (error) => faults.push(error),
      closed: () => undefined,
    });
    session.start();
    clock.advance(1_000);
    expect(made).toEqual([]);
  });

  it('an answer that comes after the end is not sent', async () => {
    let end: (reply: SignReply) => void = () => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const session = open();
    clock.advance(0);
    session.receive(request(1));
    session.close();
    sent = [];
    end(refused(1));
    await settled();
    expect(sent).toEqual([]);
  });

  it('a request is under way until it has been answered', async () => {
    let end: (reply: SignReply) => void = () => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const session = open();
    clock.advance(0);
    session.receive(request(1));
    sent = [];
    let answered: boolean | undefined;
    void inFlight.untilNone(clock, 1_500).then(() => (answered = sent.length > 0));
    clock.advance(1_000);
    await settled();
    expect(answered).toBeUndefined();
    end(refused(1));
    await settled();
    clock.advance(100);
    await settled();
    expect(answered).toBe(true);
  });

  it.each<[name: string, holder: string, term: number, asked: number, admitted: boolean]>([
    ['of the leader', 'link-1', 1, 1, true],
    ['of another link than the leader', 'link-2', 1, 1, false],
    ['of an older term', 'link-1', 2, 1, false],
    ['of a newer term, beside a leader that is heard', 'link-2', 1, 2, false],
    ['of a leader that has not said what it has seen', 'link-1', 1, 1, false],
  ])('a request %s', async (name, holder, term, asked, admitted) => {
    leases.request(holder, { term, leaseMs: 1_000, renewal: true }, clock.nowMs());
    leases.hear(holder, clock.nowMs());
    let admits: boolean | undefined;
    answer = async ({ id }, ask) => {
      admits = ask();
      return refused(id);
    };
    const session = open();
    if (!name.includes('has not said')) session.receive(HELLO);
    session.receive({ ...request(1), term: asked });
    await settled();
    expect(admits).toBe(admitted);
  });

  it('a request whose turn comes when its stream is over is not served', async () => {
    const verdicts: boolean[] = [];
    let turn: () => void = () => undefined;
    answer = async ({ id }, admits) => {
      verdicts.push(admits());
      await new Promise<void>((resolve) => (turn = resolve));
      verdicts.push(admits());
      return refused(id);
    };
    const session = open();
    session.receive(HELLO);
    session.receive(request(1));
    session.close();
    turn();
    await settled();
    expect(verdicts).toEqual([true, false]);
  });

  it('a fault in signing reaches the process', async () => {
    const fault = new Error('broken');
    answer = () => Promise.reject(fault);
    open().receive(request(1));
    await settled();
    expect(faults).toEqual([fault]);
    expect(sent.some(({ kind }) => kind === 'refused')).toBe(false);
  });

  it.each<[name: string, about: Partial<ChainKey>, code: string]>([
    ['of an unknown chain', { chainId: 'three' }, 'WRONG_CHAIN'],
    ['of another key', { groupPublicKey: bytes(8) }, 'GROUP_MISMATCH'],
    ['of a key that is none', { groupPublicKey: new Uint8Array(0) }, 'GROUP_MISMATCH'],
    ['of an unknown chain and another key', { chainId: 'three', groupPublicKey: bytes(8) }, 'WRONG_CHAIN'],
  ])('a request %s is refused, and uses nothing up', async (_name, about, code) => {
    const session = open();
    session.receive(HELLO);
    clock.advance(0);
    let asked = 0;
    answer = async ({ id }) => {
      asked++;
      return refused(id);
    };
    const good = request(1);
    session.receive({ ...good, ...about });
    await settled();
    expect(sent.at(-1)).toMatchObject({ kind: 'refused', id: 1, code });
    expect(asked).toBe(0);
    session.receive(good);
    await settled();
    expect(asked).toBe(1);
  });

  const END =
    'link-1 runs hekate 0.1.0, an older release, which does not say its protocol; 2 is the oldest here. ' +
    'upgrade link-1 to the release that the others run, and start it again';
  it.each<[name: string, hello: Partial<LinkHello>, ended: readonly string[]]>([
    ['an older release', { version: '0.1.0', protocol: 0 }, [`PROTOCOL_OLD: ${END}`]],
    [
      'an older release without even a version',
      { version: '', protocol: 0 },
      [
        'PROTOCOL_OLD: link-1 runs an older release of hekate, which does not say its protocol; 2 is the oldest here. ' +
          'upgrade link-1 to the release that the others run, and start it again',
      ],
    ],
    ['this release', {}, []],
    ['a newer release', { protocol: 3, features: ['of-the-future'] }, []],
  ])('the hello of %s', async (_name, changes, expected) => {
    const session = open();
    clock.advance(0);
    const asked = request(1);
    const shown: string[] = [];
    learn = async ({ chainId }) => void shown.push(chainId);
    const hello = {
      ...HELLO,
      ...changes,
      newest: [{ chainId: 'two', groupPublicKey: KEY, signBytes: bytes(), signature: bytes() }],
    };
    session.receive(hello);
    expect(ended).toEqual(expected);
    expect(heard).toEqual([['link-1', hello.version, hello.protocol]]);
    const old = expected.length > 0;
    expect(shown).toEqual(old ? [] : ['two']);
    expect(made.every((secrets) => secrets.every((one) => one.every((byte) => byte === 0)))).toBe(old);
    sent = [];
    session.receive(asked);
    session.receive({ kind: 'heartbeat', id: 3, lease: { term: 4, leaseMs: 500, renewal: false } });
    await settled();
    expect(sent.map(({ kind }) => kind).sort()).toEqual(old ? [] : ['heartbeatReply', 'refused']);
    expect(leases.describe(clock.nowMs()).holder).toBe(old ? '' : 'link-1');
  });

  it('a heartbeat with a request for the lease is granted in the name of the link', () => {
    const session = open('link-7');
    session.receive({ kind: 'heartbeat', id: 3, lease: { term: 4, leaseMs: 500, renewal: false } });
    expect(sent.at(-1)).toMatchObject({ kind: 'heartbeatReply', id: 3, granted: true, holder: 'link-7', term: 4 });
    session.receive({ kind: 'heartbeat', id: 4, lease: undefined });
    expect(sent.at(-1)).toMatchObject({ id: 4, granted: false, holder: 'link-7', remainingMs: 500 });
    session.receive({ kind: 'leaseRelease', term: 4 });
    session.receive({ kind: 'heartbeat', id: 5, lease: undefined });
    expect(sent.at(-1)).toMatchObject({ id: 5, holder: '' });
  });

  it('a heartbeat is answered with what the other links do', () => {
    const [one, two] = [open('link-1'), open('link-2')];
    const beat = (session: LinkSession, term?: number): CosignerMessage | undefined => {
      session.receive({ kind: 'heartbeat', id: 1, lease: term === undefined ? term : lease(term) });
      return sent.at(-1);
    };
    const lease = (term: number) => ({ term, leaseMs: 1_000, renewal: true });
    expect(beat(one, 4)).toMatchObject({ granted: true, renewedTerm: 0, otherLink: false });
    expect(beat(two)).toMatchObject({ renewedTerm: 4, otherLink: true });
    expect(beat(two, 5)).toMatchObject({ granted: false, renewedTerm: 4 });
    expect(beat(one)).toMatchObject({ renewedTerm: 5, otherLink: true });
  });

  it('a lease that is given back, or whose stream is closed, is told of once', () => {
    const [one, two] = [open('link-1'), open('link-2')];
    const lease = (term: number) => ({ term, leaseMs: 1_000, renewal: true });
    one.receive({ kind: 'heartbeat', id: 1, lease: lease(4) });
    two.receive({ kind: 'leaseRelease', term: 4 });
    one.receive({ kind: 'leaseRelease', term: 3 });
    expect(free).toEqual([]);
    one.receive({ kind: 'leaseRelease', term: 4 });
    one.receive({ kind: 'leaseRelease', term: 4 });
    expect(free).toEqual(['link-1']);
    two.receive({ kind: 'heartbeat', id: 1, lease: lease(5) });
    one.close();
    two.close();
    two.close();
    expect(free).toEqual(['link-1', 'link-2']);
  });

  it('a release to a standby keeps the lease for it', () => {
    const [one, two, three] = [open('link-1'), open('link-2'), open('link-3')];
    const asks = (session: LinkSession, term: number, ready = false): CosignerMessage | undefined => {
      session.receive({ kind: 'heartbeat', id: 1, lease: { term, leaseMs: 1_000, renewal: false }, ready });
      return sent.at(-1);
    };
    asks(one, 4);
    expect(asks(three, 5, true)).toMatchObject({ granted: false });
    expect(asks(one, 4)).toMatchObject({ granted: true, standbys: ['link-3'] });
    one.receive({ kind: 'leaseRelease', term: 4, to: 'link-3' });
    expect(asks(two, 5)).toMatchObject({ granted: false, holder: '' });
    expect(asks(three, 5)).toMatchObject({ granted: true, holder: 'link-3' });
  });

  it('asks on each stream while a chain waits, first often, then once a second; no more once none does', () => {
    questions = [QUESTION];
    open();
    const asked = (): number => sent.filter(({ kind }) => kind === 'waitQuestion').length;
    expect(asked()).toBe(1);
    clock.advance(1_000);
    expect(asked()).toBe(5);
    clock.advance(59_000);
    expect(asked()).toBe(1 + 40 + 50);
    questions = undefined;
    clock.advance(10_000);
    expect(asked()).toBe(1 + 40 + 50);
  });

  it('asks nothing on a stream that is over', () => {
    questions = [QUESTION];
    const session = open();
    session.close();
    const before = sent.length;
    clock.advance(10_000);
    expect(sent).toHaveLength(before);
  });

  it('answers what it can answer, and passes answers on with the name of the link', async () => {
    const session = open();
    const before = sent.length;
    session.receive({ ...QUESTION, asked: 3 });
    session.receive({ ...QUESTION, asked: 1 });
    session.receive(ANSWER);
    await settled();
    expect(sent.slice(before).filter(({ kind }) => kind !== 'nonceBatch')).toEqual([ANSWER]);
    expect(answers).toEqual([['link-1', 2]]);
  });

  it('after a fence: fresh nonces at once, and the first batch says that it replaces', () => {
    open();
    for (let i = 0; i < 5; i++) clock.advance(0);
    const before = sent.length;
    fences.get('one')!();
    expect(sent.slice(before)).toMatchObject([{ kind: 'nonceBatch', chainId: 'one', replaces: true }]);
    clock.advance(0);
    expect(sent.at(-1)).not.toHaveProperty('replaces', true);
  });
});

const QUESTION: WaitQuestion = {
  ...{ kind: 'waitQuestion', chainId: 'one', groupPublicKey: KEY, asker: 1, asked: 2 },
  ...{ question: new Uint8Array(32), signature: new Uint8Array(8) },
};
const ANSWER: WaitAnswer = {
  ...{ kind: 'waitAnswer', chainId: 'one', groupPublicKey: KEY, asker: 1, answerer: 2 },
  ...{ question: new Uint8Array(32), signature: new Uint8Array(8), waiting: false },
  place: { height: 1n, round: 0, step: 3 },
};
