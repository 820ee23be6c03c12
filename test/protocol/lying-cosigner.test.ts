import { describe, expect, it } from 'vitest';
import type {
  ChainReport,
  CosignerMessage,
  HeartbeatReply,
  SignedReply,
} from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { SignBytes, withTimestamp } from '../../src/shared/privval/sign-bytes.js';
import { Prng } from '../sim/prng.js';
import { Cluster, told, type ClusterOptions } from './cluster.js';
import { vote } from './votes.js';

// What one cosigner that lies can cost at most: a test for each row of the table in docs/invariants.md. What is wrong with a
// share, a commitment or stored bytes is in bad-cosigner.test.ts.

const LIAR = 2;
const badShare = (message: CosignerMessage): CosignerMessage =>
  message.kind === 'signed' ? { ...message, vote: spoiled(message.vote) } : message;
const spoiled = (one: SignedReply['vote']): SignedReply['vote'] => ({
  ...one,
  share: toSignatureShare(one.share.map((byte, i) => (i === 0 ? byte ^ 1 : byte))),
});
const honest = (message: CosignerMessage): CosignerMessage => message;

async function lying(shape: Shape, lie: (message: CosignerMessage) => CosignerMessage): Promise<Cluster> {
  const cluster = await Cluster.start(shape);
  cluster.wire('a', LIAR).tamper = lie;
  return cluster;
}

type Shape = Pick<ClusterOptions, 'threshold' | 'count'>;

/** Asks for votes one after the other, all of which must be signed; what each took. */
async function sign(cluster: Cluster, heights: readonly number[], everyMs: number): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (const height of heights) {
    const before = cluster.clock.nowMs();
    expect(told(await cluster.ask('a', vote({ at: [height, 0, 3] })))).toBe('signed 500');
    tookMs.push(cluster.clock.nowMs() - before);
    await cluster.clock.pass(everyMs);
  }
  return tookMs;
}
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => 100 + i);

describe('one that does not sign', () => {
  it.each<[code: ErrorCode, told: boolean]>([
    ['DOUBLE_SIGN', true],
    ['HEIGHT_REGRESSION', true],
    ['INTERNAL', true],
    ['STATE_WRITE_FAILED', true],
    ['HEIGHT_JUMP', false],
    ['NONCE_UNKNOWN', false],
    ['BUSY', false],
    ['TERM_OLD', false],
  ])('refuses all with %s: the others sign, and it is asked once in a while', async (code, isTold) => {
    const cluster = await lying({ threshold: 2, count: 3 }, (message) =>
      message.kind === 'signed' ? { kind: 'refused', id: message.id, code, message: 'no' } : message,
    );
    await sign(cluster, upTo(100), 1_000);
    // At 0, 5, 15, 35, 75 s; a wrong nonce may be chance once.
    expect(cluster.wire('a', LIAR).requests.length).toBeLessThanOrEqual(6);
    const lines = cluster.logged('cosigner refuses what the others sign');
    expect(lines.length).toBe(isTold ? 2 : 0);
    if (isTold) expect(lines[0]).toMatchObject({ code, cosigner: 'cosigner-2', chain: 'test-1', reason: 'no' });
  });

  it('keeps each request waiting as long as it may: it is far away then', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    cluster.wire('a', LIAR).lateMs = 140;
    const tookMs = await sign(cluster, upTo(100), 4_000);
    expect(tookMs.filter((ms) => ms > 100).length).toBeLessThanOrEqual(2);
  });

  it('does not answer: the others are asked, and it is asked last', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    cluster.wire('a', LIAR).holdReplies = true;
    const tookMs = await sign(cluster, upTo(100), 1_000);
    expect(tookMs.filter((ms) => ms > 100).length).toBeLessThanOrEqual(6);
  });
});

it('one that says that it has stored each vote a minute later: each is signed, no later than that, and it is named', async () => {
  const cluster = await Cluster.start({ threshold: 2, count: 3 });
  const wire = cluster.wire('a', LIAR);
  wire.tamper = (message) => {
    if (message.kind !== 'signed' && message.kind !== 'stored') return message;
    const { says } = SignBytes.parse(wire.requests.find(({ id }) => id === message.id)!.signBytes);
    const timestamp = { seconds: 1_700_000_060n, nanos: 500 };
    return { kind: 'stored', id: message.id, signBytes: SignBytes.encode(withTimestamp(says, timestamp)).bytes };
  };
  for (const height of upTo(20)) {
    const outcome = await cluster.ask('a', vote({ at: [height, 0, 3] }));
    expect(outcome.kind === 'signed' && outcome.timestamp.seconds <= 1_700_000_060n).toBe(true);
  }
  const claim = 'height 100, round 0, precommit, with a timestamp 60.000 s ahead of what is asked for';
  expect(cluster.logged('cosigner says that it has stored this vote already')).toMatchObject([
    { cosigner: 'cosigner-2', chain: 'test-1', claim },
  ]);
});

describe('one that lies about its place', () => {
  const claiming =
    (at: Partial<ChainReport>) =>
    (message: CosignerMessage): CosignerMessage =>
      message.kind === 'heartbeatReply'
        ? { ...message, chains: message.chains.map((chain) => ({ ...chain, ...at })) }
        : message;
  it.each<[name: string, at: Partial<ChainReport>, unable: RegExp]>([
    [
      'far up',
      { height: 2n ** 62n, round: 0, step: 3 },
      /^WATERMARK_AHEAD its watermark, height \d+, round 0, precommit, is \d+ heights above height 119/,
    ],
    ['at the place that is asked for', { height: 100n, round: 0, step: 3 }, /^$/],
    ['at the start', { height: 0n, round: 0, step: 0, sequence: 0n }, /^$/],
    ['halted', { halted: 'STATE_CORRUPT' }, /^STATE_CORRUPT signs nothing$/],
    ['of another key', { groupPublicKey: new Uint8Array(32) }, /^GROUP_MISMATCH signs nothing$/],
    ['of another chain', { chainId: 'other-1' }, /^WRONG_CHAIN does not know this chain$/],
    ['that no height is a jump', { maxHeightJump: 2n ** 62n }, /^$/],
  ])('%s: the others sign, and it is named', async (_name, at, unable) => {
    const cluster = await lying({ threshold: 2, count: 3 }, claiming(at));
    const tookMs = await sign(cluster, upTo(20), 1_000);
    expect(Math.max(...tookMs)).toBeLessThan(100);
    const [chain] = cluster.link('a').situation().chains;
    expect(chain?.unable.map(({ cosigner }) => cosigner)).toEqual(unable.source === '^$' ? [] : [LIAR]);
    expect(chain?.unable.map(({ code, why }) => `${code} ${why}`).join()).toMatch(unable);
    // Nobody has gone further than was asked.
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height <= 119n)).toEqual([true, true, true]);
  });

  it('now here, now there: each fall is counted, and told once a minute', async () => {
    let beat = 0;
    const cluster = await lying({ threshold: 2, count: 3 }, (message) =>
      claiming({ height: BigInt(100 + (message.kind === 'heartbeatReply' ? ++beat % 2 : 0)), sequence: 9n })(message),
    );
    await sign(cluster, upTo(20), 2_000);
    const falls = [...cluster.link('a').peers()].map(({ chains }) => chains.falls);
    expect([falls[0], falls[2]]).toEqual([0, 0]);
    expect(falls[1]).toBeGreaterThan(10);
    expect(cluster.logged('the watermark of a cosigner has fallen')).toMatchObject([{ cosigner: 'cosigner-2' }]);
  });
});

describe('one that lies about leadership', () => {
  const answering =
    (lie: Partial<HeartbeatReply>) =>
    (message: CosignerMessage): CosignerMessage =>
      message.kind === 'heartbeatReply' ? { ...message, ...lie } : message;
  const RENEWED = { renewedTerm: 2 ** 52, otherLink: true };

  it.each<[name: string, lie: Partial<HeartbeatReply>]>([
    ['it promises nothing', { granted: false }],
    ['another holds it, for days', { granted: false, holder: 'ghost', remainingMs: 2 ** 31 - 1 }],
    ['another renewed a later term, and is there', RENEWED],
    ['all of these, in a giant term', { ...RENEWED, granted: false, holder: 'ghost', term: 2 ** 53 - 1 }],
    ['a giant term, and nobody holds it', { granted: false, holder: '', remainingMs: 0, term: 2 ** 53 - 1 }],
  ])('%s: who leads goes on, and the next one takes over', async (_name, lie) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    for (const link of ['a', 'b']) cluster.wire(link, LIAR).tamper = answering(lie);
    await sign(cluster, upTo(60), 1_000);
    expect(cluster.logged('lease lost')).toEqual([]);
    expect(cluster.link('b').situation().leader?.name).toBe('a');
    // Terms are not used up: a step of 1,001 in ten seconds at most.
    expect(cluster.link('a').candidate.term()).toBeLessThan(10_000);
    cluster.killLink('a');
    await cluster.clock.pass(3_000);
    expect(told(await cluster.ask('b', vote({ at: [200, 0, 3] })))).toBe('signed 500');
    const claims = cluster.logged('a cosigner claims what cannot be');
    expect(new Set(claims.map(({ cosigner }) => cosigner))).toEqual(
      new Set(lie.term === undefined ? [] : ['cosigner-2']),
    );
  });

  it('nobody leads, and it says that somebody does: nobody believes it', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    cluster.wire('b', LIAR).tamper = answering({ holder: 'ghost', remainingMs: 900, term: 99 });
    cluster.killLink('a');
    cluster.wire('b', 1).tamper = answering({ granted: false, holder: '' });
    cluster.wire('b', 3).tamper = answering({ granted: false, holder: '' });
    await cluster.clock.pass(5_000);
    expect(cluster.link('b').situation().leader).toBeUndefined();
    expect(cluster.logged('no sentry-link leads')).toMatchObject([{ link: 'b', code: 'NO_LEADER' }]);
  });

  it('it promises itself to two links and signs for neither: one of them gives way, and the other signs', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    for (const link of ['a', 'b'])
      cluster.wire(link, LIAR).tamper = (message) =>
        message.kind === 'signed'
          ? { kind: 'refused', id: message.id, code: 'BUSY', message: 'no' }
          : answering({ granted: true, holder: '', remainingMs: 0 })(message);
    // For a moment each reaches one of the others alone.
    await cluster.onlyAlive('a', [1, LIAR]);
    await cluster.onlyAlive('b', [3, LIAR]);
    await cluster.clock.pass(3_000);
    await cluster.onlyAlive('a', [1, LIAR, 3]);
    await cluster.onlyAlive('b', [1, LIAR, 3]);
    const leading = (): readonly string[] =>
      ['a', 'b'].filter((link) => cluster.link(link).candidate.term() !== undefined);
    expect(leading()).toEqual(['a', 'b']);
    const signed: string[] = [];
    for (let height = 100; height < 112; height++) {
      const answers = ['a', 'b'].map((link) => cluster.asking(link, vote({ at: [height, 0, 3] })));
      await cluster.clock.pass(4_100);
      signed.push((await Promise.all(answers)).map(told).find((one) => one.startsWith('signed')) ?? 'none');
    }
    expect(signed[0]).toBe('none');
    // Within 16 s of the first, whatever it goes on saying.
    expect(new Set(signed.slice(4))).toEqual(new Set(['signed 500']));
    expect(leading()).toHaveLength(1);
  });
});

describe('one that is left out', () => {
  it.each<[name: string, shape: Shape, alive: readonly number[]]>([
    ['of 2-of-2', { threshold: 2, count: 2 }, [1, 2]],
    ['of 2-of-3, when another is down', { threshold: 2, count: 3 }, [1, 2]],
    ['of 3-of-4, when another is down', { threshold: 3, count: 4 }, [1, 2, 4]],
  ])('%s: is asked all the same, and a good share brings it back', async (_name, shape, alive) => {
    const cluster = await lying(shape, badShare);
    await cluster.onlyAlive('a', alive);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('QUORUM_LOST');
    const { chains } = [...cluster.link('a').peers()].find(({ id }) => id === LIAR)!;
    expect(chains.leftOut('test-1')).toBe('bad signature share');
    cluster.wire('a', LIAR).tamper = honest;
    const before = cluster.clock.nowMs();
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 2] })))).toBe('signed 500');
    // There is nobody else to wait for.
    expect(cluster.clock.nowMs() - before).toBeLessThan(100);
    expect(chains.leftOut('test-1')).toBeUndefined();
  });

  it.each<[timers: string, earlyMs: number]>([
    ['on time', 0],
    ['a moment early, as those of Node may', 0.5],
  ])('is asked when one of the others only looks as if it would sign, and timers run %s', async (_timers, earlyMs) => {
    const cluster = await lying({ threshold: 2, count: 3 }, badShare);
    const { clock } = cluster;
    const schedule = clock.schedule.bind(clock);
    clock.schedule = (delayMs, task) => schedule(delayMs < 100 ? delayMs : delayMs - earlyMs, task);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    cluster.wire('a', LIAR).tamper = honest;
    // Connected, without a word of refusal, and without commitments.
    await cluster.onlyAlive('a', [1, LIAR]);
    cluster.wire('a', 3).tamper = (message) =>
      message.kind === 'nonceBatch' ? { ...message, commitments: [] } : message;
    await cluster.onlyAlive('a', [1, LIAR, 3]);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 2] })))).toBe('signed 500');
  });
});

describe('as many that lie as may be down', () => {
  const CODES: readonly ErrorCode[] = [
    'DOUBLE_SIGN',
    'BUSY',
    'TERM_OLD',
    'NONCE_UNKNOWN',
    'HEIGHT_JUMP',
    'STATE_CORRUPT',
  ];
  const FAR = [0, 3, 900, 5_000, 2 ** 31 - 1];

  /** Something else than the truth, or the truth, as the dice fall. */
  function lie(message: CosignerMessage, asked: Uint8Array | undefined, dice: Prng): CosignerMessage {
    if (dice.chance(0.4)) return message;
    switch (message.kind) {
      case 'heartbeatReply': {
        const chains = message.chains.map((chain) => ({
          ...chain,
          height: dice.pick([0n, chain.height, 2n ** 62n]),
          step: dice.pick([0, 1, 2, 3]),
          maxHeightJump: dice.pick([0n, 100_000n, 2n ** 62n]),
          halted: dice.chance(0.1) ? dice.pick(CODES) : undefined,
        }));
        const lease = { holder: dice.pick(['', 'a', 'ghost']), granted: dice.chance(0.5), otherLink: dice.chance(0.5) };
        return {
          ...message,
          ...lease,
          chains,
          term: dice.pick(FAR),
          renewedTerm: dice.pick(FAR),
          remainingMs: dice.pick(FAR),
        };
      }
      case 'nonceBatch':
        return dice.chance(0.5)
          ? {
              ...message,
              commitments: message.commitments.map((one) => ({ ...one, binding: dice.pick([one.hiding, NO_POINT]) })),
            }
          : { ...message, commitments: dice.pick([[], message.commitments.slice(0, 1)]) };
      case 'signed': {
        if (dice.chance(0.3)) return { kind: 'refused', id: message.id, code: dice.pick(CODES), message: 'no' };
        if (dice.chance(0.5) || asked === undefined) return badShare(message);
        const timestamp = {
          seconds: 1_700_000_000n + BigInt(dice.pick([-60, 0, 59, 60, 61, 999])),
          nanos: dice.pick([0, 500, 501]),
        };
        const { bytes } = SignBytes.encode(withTimestamp(SignBytes.parse(asked).says, timestamp));
        return { kind: 'stored', id: message.id, signBytes: bytes };
      }
      default:
        return message;
    }
  }
  const NO_POINT = toPoint(new Uint8Array(32).fill(2));

  const SHAPES = [
    { threshold: 2, count: 3 },
    { threshold: 3, count: 5 },
    { threshold: 4, count: 7 },
  ];
  it.each(SHAPES.flatMap((shape) => [1, 2, 3, 4, 5].map((seed) => ({ ...shape, seed }))))(
    '$threshold-of-$count, seed $seed: every vote is signed, and the next link takes over',
    async (shape) => {
      const cluster = await Cluster.start({ ...shape, links: ['a', 'b'] });
      const dice = new Prng(shape.seed);
      for (let id = 1; id <= shape.count - shape.threshold; id++)
        for (const link of ['a', 'b']) {
          const wire = cluster.wire(link, id);
          wire.tamper = (message) =>
            lie(message, wire.requests.find((one) => 'id' in message && one.id === message.id)?.signBytes, dice);
        }
      let link = 'a';
      for (const height of upTo(40)) {
        if (height === 120) {
          cluster.killLink('a');
          await cluster.clock.pass(5_000);
          link = 'b';
        }
        const outcome = await cluster.ask(link, vote({ at: [height, 0, 3], extension: 'x' }));
        expect(outcome).toMatchObject({ kind: 'signed' });
        expect(outcome.kind === 'signed' && outcome.timestamp.seconds <= 1_700_000_060n).toBe(true);
        await cluster.clock.pass(700);
      }
      expect(cluster.faults).toEqual([]);
    },
  );
});
