import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_CHAINS } from '../../src/shared/coordination/limits.js';
import type { ChainReport, NonceCommitment, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { Peer } from './peer.js';

const KEY = toPoint(new Uint8Array(32).fill(9));

const report = (chain: Partial<ChainReport> = {}): ChainReport => ({
  chainId: 'test-1',
  groupPublicKey: KEY,
  height: 5n,
  round: 0,
  step: 3,
  sequence: 10n,
  maxHeightJump: 100_000n,
  halted: undefined,
  ...chain,
});
const commitments = (count: number): NonceCommitment[] =>
  Array.from({ length: count }, (_, i) => ({ nonceId: i + 1, hiding: KEY, binding: KEY }));
const refusal = (id: number): SignReply => ({ kind: 'refused', id, code: 'BUSY', message: '' });
const request = (id: number): SignRequest => ({
  kind: 'signRequest',
  id,
  term: 1,
  chainId: 'test-1',
  groupPublicKey: KEY,
  signBytes: KEY,
  extension: undefined,
  settle: false,
  signers: [],
});

describe('peer', () => {
  let clock: ManualClock;
  let errors: unknown[];
  let changes: number;
  let sent: unknown[];
  let peer: Peer;
  const hello = (id = 1, chains = [report()]) => ({ kind: 'cosignerHello', ...ownRelease('1'), id, chains }) as const;
  const open = (id = 1, chains = [report()]): void =>
    peer.opened(hello(id, chains), { send: (message) => sent.push(message) > 0 });
  const fill = (chainId = 'test-1', count = 2, groupPublicKey: Uint8Array = KEY): void =>
    peer.receive({ kind: 'nonceBatch', chainId, groupPublicKey, commitments: commitments(count) });

  beforeEach(() => {
    clock = new ManualClock();
    [errors, sent, changes] = [[], [], 0];
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (_event: string, fields: object = {}) => void errors.push((fields as { code?: unknown }).code),
    };
    const groupKeys = new Map([['test-1', KEY]]);
    peer = new Peer(1, { groupKeys, clock, log, onChange: () => changes++ });
  });

  it.each<[name: string, prepare: () => void, ready: boolean]>([
    ['connected, with commitments', () => (open(), fill()), true],
    ['not connected', () => undefined, false],
    ['no commitments', () => open(), false],
    ['one commitment of two', () => (open(), fill('test-1', 1)), false],
    ['commitments for another key', () => (open(), fill('test-1', 2, new Uint8Array(32))), false],
    ['halted', () => (open(1, [report({ halted: 'STATE_WRITE_FAILED' })]), fill()), false],
    ['another key', () => (open(1, [report({ groupPublicKey: new Uint8Array(32) })]), fill()), false],
    ['another id', () => (open(2), fill()), false],
    ['another id, and a heartbeat later', () => (open(2), fill(), beat([report()])), false],
    ['halted since', () => (open(), fill(), beat([report({ halted: 'STATE_ROLLED_BACK' })])), false],
    ['lost', () => (open(), fill(), peer.lost('PEER_CLOSED')), false],
    [
      'back after a loss: its old commitments are void',
      () => (open(), fill(), peer.lost('PEER_CLOSED'), open()),
      false,
    ],
  ])('ready: %s', (_name, prepare, ready) => {
    prepare();
    expect(peer.ready('test-1', 2)).toBe(ready);
  });
  const beat = (chains: readonly ChainReport[]): void =>
    peer.receive({
      kind: 'heartbeatReply',
      id: 1,
      granted: false,
      term: 0,
      holder: '',
      remainingMs: 0,
      renewedTerm: 0,
      otherLink: false,
      chains,
    });

  it.each<[name: string, since: () => void, behind: boolean]>([
    ['at once', () => undefined, true],
    ['just before five seconds', () => clock.advance(4_999), true],
    ['after five seconds', () => clock.advance(5_000), false],
    ['refused again: ten more seconds', () => (clock.advance(5_000), refuse(), clock.advance(9_999)), true],
    ['refused again, ten seconds later', () => (clock.advance(5_000), refuse(), clock.advance(10_000)), false],
    ['refused ever again: a minute at most', () => (refuseTimes(9), clock.advance(60_000)), false],
    ['its watermark rose', () => beat([report({ height: 6n })]), false],
    [
      'it rose, then refused: five seconds anew',
      () => (beat([report({ height: 6n })]), refuse(), clock.advance(5_000)),
      false,
    ],
    [
      'an operator raised it, and it started again',
      () => (peer.lost('PEER_CLOSED'), open(1, [report({ height: 6n })])),
      false,
    ],
    ['it started again', () => (peer.lost('PEER_CLOSED'), open()), true],
  ])('behind, having refused for its height: %s', (_name, since, behind) => {
    open();
    refuse();
    since();
    expect([peer.chains.behind('test-1'), peer.chains.behind('other-1')]).toEqual([behind, false]);
  });
  const refuse = (): void => peer.chains.noteBehind('test-1', 'HEIGHT_JUMP');
  const refuseTimes = (times: number): void => {
    for (let n = 0; n < times; n++) refuse();
  };

  it.each<[name: string, ask: (onReply: (reply: SignReply | undefined) => void) => void, heard: unknown[]]>([
    ['an answer', (on) => (peer.stream.ask(request(1), on), peer.receive(refusal(1))), [refusal(1)]],
    [
      'an answer twice',
      (on) => (peer.stream.ask(request(1), on), peer.receive(refusal(1)), peer.receive(refusal(1))),
      [refusal(1)],
    ],
    ['an answer to something else', (on) => (peer.stream.ask(request(1), on), peer.receive(refusal(2))), []],
    ['the stream ends', (on) => (peer.stream.ask(request(1), on), peer.lost('PEER_CLOSED')), [undefined]],
    [
      'an answer after the stream ended',
      (on) => (peer.stream.ask(request(1), on), peer.lost('PEER_CLOSED'), peer.receive(refusal(1))),
      [undefined],
    ],
    ['no stream', (on) => (peer.lost('PEER_CLOSED'), peer.stream.ask(request(1), on)), [undefined]],
  ])('told once: %s', (_name, ask, expected) => {
    open();
    const heard: unknown[] = [];
    ask((reply) => heard.push(reply));
    expect(heard).toEqual(expected);
  });

  it('told once when the stream breaks while it is written to', () => {
    const heard: unknown[] = [];
    peer.opened(hello(), {
      send: () => {
        peer.lost('PEER_CLOSED');
        return false;
      },
    });
    peer.stream.ask(request(1), (reply) => heard.push(reply));
    expect(heard).toEqual([undefined]);
  });

  it('with every chain waiting for an answer none is forgotten; beyond, the oldest is told', () => {
    open();
    const heard: unknown[] = [];
    for (let id = 1; id <= 4 * MAX_CHAINS; id++) peer.stream.ask(request(id), (reply) => heard.push([id, reply]));
    expect(heard).toEqual([]);
    for (const id of [9_001, 9_002]) peer.stream.ask(request(id), (reply) => heard.push([id, reply]));
    expect(heard).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
    peer.receive(refusal(3));
    expect(heard.at(-1)).toEqual([3, refusal(3)]);
  });

  it('keeps no reports of chains that are not ours', () => {
    open(1, [report()]);
    for (let i = 0; i < 1_000; i++) beat([report({ chainId: `made-up-${i}` })]);
    beat([report()]);
    expect(peer.chains.reports()).toHaveLength(1);
  });

  it('commitments that replace: the earlier ones are not handed out any more', () => {
    open(1, [report()]);
    fill();
    const fresh = { nonceId: 77, hiding: KEY, binding: KEY };
    peer.receive({ kind: 'nonceBatch', chainId: 'test-1', groupPublicKey: KEY, commitments: [fresh], replaces: true });
    expect(peer.chains.takeCommitment('test-1')?.nonceId).toBe(77);
    expect(peer.chains.takeCommitment('test-1')).toBeUndefined();
  });

  it.each<[name: string, heard: readonly number[] | undefined, afterMs: number, soon: boolean]>([
    ['does not wait', undefined, 0, false],
    ['waits, and has heard nobody', [], 0, false],
    ['waits, and has heard one', [2], 0, true],
    ['has waited for two minutes', [2], 120_000, false],
  ])('signs soon, of 2 of 3: %s', (_name, heard, afterMs, soon) => {
    open(1, [report({ waiting: heard })]);
    clock.advance(afterMs);
    beat([report({ waiting: heard })]);
    expect(peer.chains.signsSoon('test-1', 2)).toBe(soon);
  });

  it.each<[name: string, reports: readonly Partial<ChainReport>[], falls: number]>([
    ['rises', [{ height: 5n }, { height: 5n, round: 1 }, { height: 6n, round: 0 }], 0],
    ['stays', [{ height: 5n }, { height: 5n }], 0],
    ['falls by a height', [{ height: 5n }, { height: 4n }, { height: 4n }], 1],
    [
      'falls by a step',
      [
        { height: 5n, step: 3 },
        { height: 5n, step: 2 },
      ],
      1,
    ],
    ['falls twice', [{ height: 5n }, { height: 4n }, { height: 9n }, { height: 8n }], 2],
    ['is of another key', [{ height: 5n }, { height: 4n, groupPublicKey: new Uint8Array(32) }], 0],
    [
      'is not known, as its chain was halted at the start',
      [{ height: 5n }, { height: 0n, sequence: 0n, halted: 'STATE_MISSING' }, { height: 6n }],
      0,
    ],
  ])('a watermark that %s, over streams', (_name, reports, falls) => {
    for (const of of reports) {
      open(1, [report(of)]);
      peer.lost('PEER_CLOSED');
    }
    expect(peer.chains.falls).toBe(falls);
    // Told once in a minute, with both places.
    expect(errors.filter((code) => code === 'STATE_ROLLED_BACK')).toHaveLength(Math.min(1, falls));
  });

  it.each<[name: string, of: Partial<ChainReport>]>([
    ['its group file cannot be read: no key is known', { groupPublicKey: new Uint8Array(32), halted: 'GROUP_INVALID' }],
    ['its share is missing', { halted: 'SHARE_MISSING' }],
    ['it has the group of another dealing', { groupPublicKey: KEY.map((byte) => byte + 1), halted: 'SHARE_MISMATCH' }],
  ])('halted at its start, %s: told as it says it, once, and never asked; no rollback', (_name, of) => {
    open(1, [report({ sequence: 12n, height: 900n })]);
    peer.lost('PEER_CLOSED');
    const halted = report({ height: 0n, round: 0, step: 0, sequence: 0n, ...of });
    open(1, [halted]);
    fill();
    beat([halted]);
    expect(errors).toEqual([of.halted]);
    expect(peer.ready('test-1', 1)).toBe(false);
    expect(peer.chains.report('test-1')).toEqual(halted);
    expect(peer.chains.behind('test-1')).toBe(false);
  });

  it('keeps no commitments of chains that are not ours', () => {
    open(1, [report(), report({ chainId: 'made-up' })]);
    fill('made-up');
    expect(peer.chains.takeCommitment('made-up')).toBeUndefined();
  });

  it.each<[name: string, awaited: boolean]>([
    ['of a request that is awaited', true],
    ['of one that nobody awaits any more', false],
  ])('takes the commitments that come with a share %s', (_name, awaited) => {
    open();
    if (awaited) peer.stream.ask(request(1), () => undefined);
    const fresh = { ...report(), kind: 'nonceBatch', commitments: commitments(2) } as const;
    const share = { groupCommitment: KEY, share: toSignatureShare(KEY) };
    peer.receive({ kind: 'signed', id: 1, vote: share, extension: undefined, fresh });
    expect(peer.ready('test-1', 2)).toBe(true);
  });

  it('is left out of one chain, and signs for the others', () => {
    open();
    fill();
    peer.chains.leaveOut('other-1', 'bad signature share');
    expect(['other-1', 'test-1'].map((chain) => peer.chains.leftOut(chain))).toEqual([
      'bad signature share',
      undefined,
    ]);
    expect(errors).toEqual(['COSIGNER_BAD']);
  });

  it('a flood of commitments is told once', () => {
    open();
    for (let i = 0; i < 50; i++) fill('test-1', 200);
    expect(errors).toEqual(['COSIGNER_BAD']);
    expect(peer.chains.leftOut('test-1')).toMatch(/^more nonce commitments/);
    clock.advance(60_000);
    fill('test-1', 200);
    expect(errors).toHaveLength(2);
  });

  it('one that made a request wait is suspect for a while, longer when it happens again, and forgiven when it serves one', () => {
    open();
    const suspectMs = (): number => {
      peer.health.noteStall();
      let ms = 0;
      for (; peer.health.suspect; ms += 1_000) clock.advance(1_000);
      return ms;
    };
    expect([1, 2, 3, 4, 5, 6].map(suspectMs)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    peer.stream.ask(request(1), () => undefined);
    peer.receive(refusal(1));
    expect(suspectMs()).toBe(60_000);
    peer.stream.ask(request(2), () => undefined);
    peer.receive({ kind: 'stored', id: 2, signBytes: KEY });
    expect(suspectMs()).toBe(5_000);
  });

  it('measures how long answers take', () => {
    open();
    peer.stream.ask(request(1), () => undefined);
    clock.advance(25);
    peer.receive(refusal(1));
    expect(peer.health.signMs).toBe(25);
    expect(changes).toBe(1);
  });

  it('is as far away as its heartbeats say, and as its answers say lately when they take longer than they should', () => {
    open();
    peer.health.noteRoundTrip(10);
    const away = (signMs: number): number => {
      peer.health.noteAnswer(signMs);
      return Math.round(peer.health.distanceMs());
    };
    expect([12, 30, 46].map(away)).toEqual([10, 10, 10]);
    expect(away(950)).toBe(115);
    expect(away(950)).toBe(217);
    const later = [1, 2, 10].map((minutes) => (clock.advance(minutes * 60_000), Math.round(peer.health.distanceMs())));
    expect(later).toEqual([113, 36, 10]);
  });

  it('tells of commitments as long as a request may be waiting for them', () => {
    open();
    const told = [1, 1, 1, 2].map((count) => {
      const before = changes;
      fill('test-1', count);
      return changes - before;
    });
    expect(told).toEqual([1, 1, 0, 0]);
  });
});
