import type { VerifiedSignature } from '../../src/shared/ed25519/openssl-verify.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '../../src/shared/bytes.js';
import { HekateError } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/ports/log.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { MemoryChannel } from '../../test/support/memory-channel.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { NO_BLOCK } from '../../src/shared/privval/fields.js';
import {
  EMPTY_PROPOSAL,
  EMPTY_VOTE,
  type ProposalMessage,
  type VoteMessage,
} from '../../src/shared/privval/node-messages.js';
import { REMOTE_ERROR } from '../../src/shared/privval/remote-error.js';
import { encodeRequest, type PrivvalRequest } from '../../src/shared/privval/request.js';
import { decodeResponse, type PrivvalResponse } from '../../src/shared/privval/response.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import type { SignOutcome, VoteToSign } from '../vote-to-sign.js';
import { NodeRecord } from './node-record.js';
import { NodeSession } from './node-session.js';

const numRuns = process.env['CI'] === 'true' ? 10_000 : 300;
const CHAIN = 'test-1';
const PUBLIC_KEY = new Uint8Array(32).fill(3);
/** After a hard fork: the same node, another chain id. */
const OTHER_CHAIN = 'test-2';
const OTHER_PUBLIC_KEY = new Uint8Array(32).fill(4);
const HASH = fromHex('2a0d4332f9'.padEnd(64, '0'));
const BLOCK = { hash: HASH, partsTotal: 1, partsHash: HASH };
const TIME = { seconds: 1_700_000_000n, nanos: 5 };
const PREVOTE: VoteMessage = { ...EMPTY_VOTE, type: 1, height: 4_069_466n, round: 0, blockId: BLOCK, timestamp: TIME };
const PRECOMMIT: VoteMessage = { ...PREVOTE, type: 2 };
const PROPOSAL: ProposalMessage = {
  ...EMPTY_PROPOSAL,
  type: 32,
  height: 7n,
  round: 1,
  polRound: -1,
  blockId: BLOCK,
  timestamp: TIME,
};
const SIGNATURE = new Uint8Array(64).fill(9) as VerifiedSignature;
const PING: PrivvalRequest = { kind: 'ping' };
const PUB_KEY: PrivvalRequest = { kind: 'pubKey', chainId: CHAIN };

const askVote = (vote: VoteMessage, skipExtensionSigning = false, chainId = CHAIN): PrivvalRequest => ({
  kind: 'signVote',
  chainId,
  vote,
  skipExtensionSigning,
});
const askProposal = (proposal: ProposalMessage): PrivvalRequest => ({ kind: 'signProposal', chainId: CHAIN, proposal });
const frame = (...requests: PrivvalRequest[]): Uint8Array =>
  concat(...requests.map((r) => frameMessage(encodeRequest(r))));

/** What the node got. */
function responses({ written }: MemoryChannel): PrivvalResponse[] {
  const reader = new MessageReader();
  reader.push(concat(...written));
  const all: PrivvalResponse[] = [];
  for (let m = reader.next(); m !== undefined; m = reader.next()) all.push(decodeResponse(m));
  return all;
}

/** Signs at once unless told to hold back. */
class FakeSigner {
  readonly asked: VoteToSign[] = [];
  readonly #pending: ((outcome: SignOutcome) => void)[] = [];
  hold = false;
  outcome: ((vote: VoteToSign) => SignOutcome) | undefined;

  readonly sign = (vote: VoteToSign): Promise<SignOutcome> => {
    this.asked.push(vote);
    if (this.hold) return new Promise((resolve) => this.#pending.push(resolve));
    return Promise.resolve(this.outcome?.(vote) ?? this.#signed(vote));
  };
  release(): void {
    const vote = this.asked[this.asked.length - this.#pending.length];
    if (vote !== undefined) this.#pending.shift()?.(this.#signed(vote));
  }
  #signed({ signBytes, extension }: VoteToSign): SignOutcome {
    const extensionSignature = extension === undefined ? undefined : SIGNATURE;
    return { kind: 'signed', signature: SIGNATURE, timestamp: signBytes.says.timestamp, extensionSignature };
  }
}

interface Lines {
  readonly log: Log;
  readonly lines: string[];
}

function collect(): Lines {
  const lines: string[] = [];
  const write =
    (level: string): Log['info'] =>
    (event, fields) =>
      lines.push(`${level} ${event}${fields?.['code'] === undefined ? '' : ` ${fields['code'].toString()}`}`);
  return { log: { debug() {}, info: write('info'), warn: write('warn'), error: write('error') }, lines };
}

function setUp() {
  const channel = new MemoryChannel();
  const signer = new FakeSigner();
  const clock = new ManualClock();
  const { log, lines } = collect();
  const record = new NodeRecord(log, clock, { chain: CHAIN });
  const ends: (HekateError | undefined)[] = [];
  const other = { signer: new FakeSigner(), record: new NodeRecord(log, clock, { chain: OTHER_CHAIN }) };
  const chains = new Map([
    [CHAIN, { publicKey: PUBLIC_KEY, sign: signer.sign, record }],
    [OTHER_CHAIN, { publicKey: OTHER_PUBLIC_KEY, sign: other.signer.sign, record: other.record }],
  ]);
  const session = new NodeSession(channel, { chains, record, clock, closed: (reason) => ends.push(reason) });
  session.start();
  const receive = (bytes: Uint8Array): void => channel.handlers?.bytes(bytes);
  const ask = async (...requests: PrivvalRequest[]): Promise<void> => {
    receive(frame(...requests));
    await settle();
  };
  return { channel, signer, other, clock, lines, record, ends, session, receive, ask };
}

/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const refusal = (of: string, code: number, start: string): object => ({
  kind: 'refused',
  of,
  error: { code, description: expect.stringMatching(new RegExp(`^${start}: `)) as string },
});
const signedVote = (extensionSignature: Uint8Array = new Uint8Array(0)): PrivvalResponse => ({
  kind: 'signedVote',
  timestamp: TIME,
  signature: SIGNATURE,
  extensionSignature,
});

describe('the chain id in a request picks the signer', () => {
  it('of two chains of one node', async () => {
    const { channel, signer, other, record, ask } = setUp();
    await ask({ kind: 'pubKey', chainId: OTHER_CHAIN }, askVote(PREVOTE, false, OTHER_CHAIN), askVote(PRECOMMIT));
    const [key, ...signed] = responses(channel);
    expect(key).toEqual({ kind: 'pubKey', publicKey: OTHER_PUBLIC_KEY });
    expect(signed.map(({ kind }) => kind)).toEqual(['signedVote', 'signedVote']);
    expect(other.signer.asked.map(({ signBytes }) => signBytes.says.chainId)).toEqual([OTHER_CHAIN]);
    expect(signer.asked.map(({ signBytes }) => signBytes.says.chainId)).toEqual([CHAIN]);
    expect([record.counters().signed, other.record.counters().signed]).toEqual([1, 1]);
    expect([record.counters().pubKeys, other.record.counters().pubKeys]).toEqual([0, 1]);
  });

  it('and names what there is where it is none of them', async () => {
    const { channel, ask } = setUp();
    await ask({ kind: 'pubKey', chainId: 'test-3' });
    const description = 'WRONG_CHAIN: the node asks for chain "test-3", this is "test-1", "test-2"';
    expect(responses(channel)).toMatchObject([{ kind: 'refused', error: { description } }]);
  });
});

describe('answers', () => {
  it.each<[string, PrivvalRequest, object]>([
    ['a ping', PING, { kind: 'ping' }],
    ['the public key', PUB_KEY, { kind: 'pubKey', publicKey: PUBLIC_KEY }],
    ['the public key for another chain', { kind: 'pubKey', chainId: 'other' }, refusal('pubKey', 3, 'WRONG_CHAIN')],
    ['a prevote', askVote(PREVOTE), signedVote()],
    ['a prevote for nil', askVote({ ...PREVOTE, blockId: NO_BLOCK }), signedVote()],
    ['a precommit for nil', askVote({ ...PRECOMMIT, blockId: NO_BLOCK }), signedVote()],
    ['a precommit: its empty extension too', askVote(PRECOMMIT), signedVote(SIGNATURE)],
    ['a precommit with an extension', askVote({ ...PRECOMMIT, extension: HASH }), signedVote(SIGNATURE)],
    ['a precommit of 1.0 without extensions', askVote(PRECOMMIT, true), signedVote()],
    ['a proposal', askProposal(PROPOSAL), { kind: 'signedProposal', signature: SIGNATURE }],
    [
      'a proposal whose type is another',
      askProposal({ ...PROPOSAL, type: 1 }),
      { kind: 'signedProposal', signature: SIGNATURE },
    ],
    ['an empty message', { kind: 'unknown', field: 0 }, { kind: 'empty' }],
    ['a message that is not known', { kind: 'unknown', field: 13 }, { kind: 'empty' }],
    [
      'raw bytes',
      { kind: 'signBytes', body: HASH },
      refusal('signBytes', REMOTE_ERROR.unsupported, 'REQUEST_UNSUPPORTED'),
    ],
    ['no raw bytes', { kind: 'signBytes', body: new Uint8Array(0) }, refusal('signBytes', 5, 'REQUEST_UNSUPPORTED')],
  ])('%s', async (_name, request, response) => {
    const { channel, ask } = setUp();
    await ask(request);
    expect(responses(channel)).toEqual([response]);
    expect(channel.ended).toBe(false);
  });

  it.each<[string, PrivvalRequest, string]>([
    ['another chain', askVote(PREVOTE, false, 'other'), 'WRONG_CHAIN'],
    ['vote type 0', askVote({ ...PREVOTE, type: 0 }), 'REQUEST_INVALID'],
    ['a vote of type proposal', askVote({ ...PREVOTE, type: 32 }), 'REQUEST_INVALID'],
    ['a negative type', askVote({ ...PREVOTE, type: -1 }), 'REQUEST_INVALID'],
    ['an empty vote', askVote(EMPTY_VOTE), 'REQUEST_INVALID'],
    ['height 0', askVote({ ...PREVOTE, height: 0n }), 'REQUEST_INVALID'],
    ['a negative height', askVote({ ...PREVOTE, height: -5n }), 'REQUEST_INVALID'],
    ['a negative round', askVote({ ...PREVOTE, round: -1 }), 'REQUEST_INVALID'],
    ['a short hash', askVote({ ...PREVOTE, blockId: { ...BLOCK, hash: HASH.subarray(1) } }), 'REQUEST_INVALID'],
    [
      'a long parts hash',
      askVote({ ...PREVOTE, blockId: { ...BLOCK, partsHash: new Uint8Array(64) } }),
      'REQUEST_INVALID',
    ],
    ['nanoseconds out of range', askVote({ ...PREVOTE, timestamp: { seconds: 0n, nanos: -1 } }), 'REQUEST_INVALID'],
    ['an extension on a prevote', askVote({ ...PREVOTE, extension: HASH }), 'EXTENSION_NOT_ALLOWED'],
    ['an extension on nil', askVote({ ...PRECOMMIT, blockId: NO_BLOCK, extension: HASH }), 'EXTENSION_NOT_ALLOWED'],
    ['an extension above 1 MiB', askVote({ ...PRECOMMIT, extension: new Uint8Array(2 ** 20 + 1) }), 'REQUEST_INVALID'],
    ['a proposal for no block', askProposal({ ...PROPOSAL, blockId: NO_BLOCK }), 'REQUEST_INVALID'],
    ['a proposal at height 0', askProposal({ ...PROPOSAL, height: 0n }), 'REQUEST_INVALID'],
    ['a proposal of POL round -2', askProposal({ ...PROPOSAL, polRound: -2 }), 'REQUEST_INVALID'],
  ])('refuses without asking the signer: %s', async (_name, request, code) => {
    const { channel, signer, record, ask } = setUp();
    await ask(request, PING);
    const number = code === 'WRONG_CHAIN' ? REMOTE_ERROR.wrongChain : REMOTE_ERROR.badRequest;
    expect(responses(channel)).toContainEqual(refusal(request.kind, number, code));
    expect(responses(channel)).toContainEqual({ kind: 'ping' });
    expect(channel.ended).toBe(false);
    expect(signer.asked).toEqual([]);
    expect(record.counters()).toMatchObject({ signed: 0, refused: 1, refusedByCode: new Map([[code, 1]]) });
  });

  it('gives the signer the bytes, what they say, and the extension', async () => {
    const { signer, ask } = setUp();
    await ask(askVote({ ...PRECOMMIT, extension: HASH }));
    const [vote] = signer.asked;
    expect(vote?.signBytes).toEqual(SignBytes.encode(vote!.signBytes.says));
    expect(vote?.signBytes.says).toMatchObject({
      step: 3,
      chainId: CHAIN,
      height: 4_069_466n,
      blockId: BLOCK,
      timestamp: TIME,
    });
    expect(vote?.extension).toEqual(HASH);
  });

  it('passes on an earlier timestamp and a refusal', async () => {
    const { channel, signer, ask } = setUp();
    const timestamp = { seconds: 1n, nanos: 1 };
    signer.outcome = () => ({ kind: 'signed', signature: SIGNATURE, timestamp, extensionSignature: undefined });
    await ask(askVote(PREVOTE));
    signer.outcome = () => ({ kind: 'refused', code: 'DOUBLE_SIGN', message: 'another block is signed there' });
    await ask(askVote(PREVOTE));
    expect(responses(channel)).toEqual([
      { ...signedVote(), timestamp },
      refusal('signVote', REMOTE_ERROR.watermark, 'DOUBLE_SIGN'),
    ]);
  });

  it('a signer that throws is a refusal', async () => {
    const { channel, signer, ask } = setUp();
    signer.outcome = () => {
      throw new HekateError('BUSY', 'too much');
    };
    await ask(askVote(PREVOTE));
    signer.outcome = () => {
      throw new Error('a fault');
    };
    await ask(askVote(PREVOTE));
    expect(responses(channel)).toEqual([refusal('signVote', 6, 'BUSY'), refusal('signVote', 1, 'INTERNAL')]);
  });
});

describe('order', () => {
  it('ping and public key do not wait for a signature, signatures wait for each other', async () => {
    const { channel, signer, ask } = setUp();
    signer.hold = true;
    await ask(askVote(PREVOTE), askVote(PRECOMMIT), PING, PUB_KEY);
    expect(responses(channel).map(({ kind }) => kind)).toEqual(['ping', 'pubKey']);
    expect(signer.asked).toHaveLength(1);
    signer.release();
    await settle();
    expect(signer.asked).toHaveLength(2);
    signer.release();
    await settle();
    expect(responses(channel).slice(2)).toEqual([signedVote(), signedVote(SIGNATURE)]);
  });

  it('a node that asks on and on is cut off', async () => {
    const { channel, signer, ends, ask } = setUp();
    signer.hold = true;
    await ask(...Array.from({ length: 5 }, () => askVote(PREVOTE)));
    expect(channel.ended).toBe(false);
    await ask(askVote(PREVOTE), PING);
    expect(ends).toEqual([expect.objectContaining({ code: 'PRIVVAL_FLOOD' })]);
    expect(responses(channel)).toEqual([]);
  });

  it('after close() nothing is answered and nothing more is signed', async () => {
    const { channel, signer, record, session, ask, receive } = setUp();
    signer.hold = true;
    await ask(askVote(PREVOTE), askVote(PRECOMMIT));
    session.close();
    expect(channel.ended).toBe(true);
    signer.release();
    receive(frame(PING));
    await settle();
    expect(responses(channel)).toEqual([]);
    expect(signer.asked).toHaveLength(1);
    expect(record.counters()).toMatchObject({ signed: 1, unanswered: 1 });
  });
});

describe('a request that is too long is refused, and the connection stays up', () => {
  const TOO_LONG = 10 * 1024 * 1024;
  it.each<[name: string, tag: string, of: string]>([
    ['a vote with an extension of 10 MB', '1a', 'signVote'],
    ['a proposal', '2a', 'signProposal'],
    ['raw bytes', '4a', 'signBytes'],
    ['a public key', '0a', 'pubKey'],
  ])('%s', async (_name, tag, of) => {
    const { channel, record, receive, ask } = setUp();
    const long = frameMessage(concat(fromHex(tag), new Uint8Array(TOO_LONG)));
    for (let at = 0; at < long.length; at += 65_536) receive(long.subarray(at, at + 65_536));
    await ask(PING);
    const error = expect.objectContaining({
      description: expect.stringContaining('10485761 bytes') as string,
    }) as object;
    expect(responses(channel)).toEqual([{ kind: 'refused', of, error }, { kind: 'ping' }]);
    expect(channel.ended).toBe(false);
    expect(record.counters().refusedByCode.get('REQUEST_INVALID')).toBe(1);
  });

  it('a node that then says nothing for a while is not taken for one that trickles', () => {
    const { channel, clock, receive } = setUp();
    const long = frameMessage(concat(fromHex('1a'), new Uint8Array(TOO_LONG)));
    receive(long.subarray(0, 100_000));
    receive(long.subarray(100_000));
    clock.advance(60_000);
    expect(channel.ended).toBe(false);
  });

  it('anything else of that length ends it, and what came behind it is not looked at', () => {
    const { channel, ends, record, receive } = setUp();
    receive(concat(frameMessage(concat(fromHex('7a'), new Uint8Array(TOO_LONG))), frame(PING)));
    expect(channel.ended).toBe(true);
    expect(record.counters().pings).toBe(0);
    expect(ends.map((reason) => reason?.code)).toEqual(['PRIVVAL_OVERSIZED']);
  });
});

describe('bad bytes end the connection with a reason', () => {
  it.each<[string, string, string]>([
    ['a message above the limit', 'ffffff7f', 'PRIVVAL_OVERSIZED'],
    ['a message that is not protobuf', '02ffff', 'PRIVVAL_MALFORMED'],
    ['a length without end', 'ffffffffff', 'PRIVVAL_MALFORMED'],
    ['rubbish after a good message', '023a00' + '0107', 'PRIVVAL_MALFORMED'],
  ])('%s', async (_name, hex, code) => {
    const { channel, ends, record, lines, receive } = setUp();
    receive(fromHex(hex));
    receive(frame(PING));
    await settle();
    expect(ends).toEqual([expect.objectContaining({ code })]);
    expect(channel.ended).toBe(true);
    expect(record.counters().broken).toBe(1);
    expect(lines).toEqual([`warn the connection to the node is ended ${code}`]);
  });

  it('a message that is never finished', () => {
    const { clock, ends, receive } = setUp();
    for (let second = 0; second < 10; second++) {
      receive(Uint8Array.of(second === 0 ? 100 : 0));
      clock.advance(1000);
    }
    expect(ends).toEqual([expect.objectContaining({ code: 'PRIVVAL_SLOW' })]);
    expect(clock.pending).toBe(0);
  });

  it('messages in pieces are in time as long as each one ends', () => {
    const { clock, channel, receive } = setUp();
    const stream = frame(PING);
    for (let i = 0; i < 60; i++) {
      receive(Uint8Array.of(stream[i % 3] ?? 0));
      clock.advance(4000);
    }
    expect(responses(channel)).toHaveLength(20);
    expect(channel.ended).toBe(false);
  });

  it.each<[string, string, HekateError | undefined, string | undefined]>([
    ['the node ends within a message', '0a3a', undefined, 'PRIVVAL_MALFORMED'],
    ['the node ends between messages', '023a00', undefined, undefined],
    ['the connection is lost within a message', '0a3a', new HekateError('SOCKET_RESET', 'gone'), 'SOCKET_RESET'],
  ])('%s', (_name, hex, reason, code) => {
    const { channel, clock, ends, receive } = setUp();
    receive(fromHex(hex));
    channel.handlers?.closed(reason);
    expect(ends.map((end) => end?.code)).toEqual([code]);
    expect(clock.pending).toBe(0);
  });

  it('any bytes in any pieces: answers or a named end, and the next session works', async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(frame(PING), frame(PUB_KEY), frame(askVote(PREVOTE)), frame(askVote(PREVOTE)).subarray(0, 20)),
      ),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (list) => {
        const { channel, ends, receive } = setUp();
        for (const piece of list) receive(piece);
        await settle();
        channel.close();
        expect(ends).toHaveLength(1);
        expect(['PRIVVAL_OVERSIZED', 'PRIVVAL_MALFORMED', 'PRIVVAL_FLOOD', undefined]).toContain(ends[0]?.code);
        const next = setUp();
        await next.ask(PING);
        expect(responses(next.channel)).toEqual([{ kind: 'ping' }]);
      }),
      { numRuns },
    );
  });
});

describe('the record', () => {
  it.each<[string, PrivvalRequest, string]>([
    ['prevote', askVote(PREVOTE), 'signed Prevote:2A0D4332F9 at h/r/s 4069466/0/1 (12 ms)'],
    ['precommit', askVote(PRECOMMIT), 'signed Precommit:2A0D4332F9 at h/r/s 4069466/0/2 (12 ms)'],
    ['nil', askVote({ ...PREVOTE, blockId: NO_BLOCK }), 'signed Prevote:<nil> at h/r/s 4069466/0/1 (12 ms)'],
    ['proposal', askProposal({ ...PROPOSAL, type: 0 }), 'signed Proposal:2A0D4332F9 at h/r/s 7/1/0 (12 ms)'],
  ])('the line of a signed %s', async (_name, request, line) => {
    const { signer, clock, lines, record, ask } = setUp();
    signer.hold = true;
    await ask(request);
    clock.advance(12.3);
    signer.release();
    await settle();
    expect(lines).toEqual([`info ${line}`]);
    expect(record.counters()).toMatchObject({ signed: 1, refused: 0, unanswered: 0, lastLatencyMs: 12.3 });
  });

  it('tells a refusal once, another one again, and counts all', async () => {
    const { signer, lines, record, ask } = setUp();
    signer.outcome = () => ({ kind: 'refused', code: 'DOUBLE_SIGN', message: 'no' });
    for (const height of [1n, 1n, 2n, 1n]) await ask(askVote({ ...PREVOTE, height }));
    expect(lines).toEqual([
      'warn refused height 1, round 0, prevote for block 2A0D4332F9 DOUBLE_SIGN',
      'warn refused height 2, round 0, prevote for block 2A0D4332F9 DOUBLE_SIGN',
    ]);
    expect(record.counters().refusedByCode).toEqual(new Map([['DOUBLE_SIGN', 4]]));
  });

  it('a flood of refusals makes a bounded number of lines a minute', async () => {
    const { clock, lines, record, ask } = setUp();
    for (let round = 0; round < 100; round++) await ask(askVote({ ...PREVOTE, type: 7, round }));
    expect(lines).toHaveLength(30);
    clock.advance(60_000);
    await ask(askVote({ ...PREVOTE, type: 8 }));
    expect(lines).toHaveLength(31);
    expect(record.counters().refused).toBe(101);
  });

  it('a refusal of any length is an answer that nodes read', async () => {
    const { channel, signer, record, ask } = setUp();
    signer.outcome = () => ({ kind: 'refused', code: 'QUORUM_LOST', message: 'x\n'.repeat(100_000) });
    await ask(askVote(PREVOTE));
    expect(record.counters().refusedByCode).toEqual(new Map([['QUORUM_LOST', 1]]));
    expect(responses(channel)).toEqual([expect.objectContaining({ kind: 'refused', of: 'signVote' })]);
  });

  it('counts pings and public keys', async () => {
    const { record, ask } = setUp();
    await ask(PING, PING, PUB_KEY);
    expect(record.counters()).toMatchObject({ pings: 2, pubKeys: 1, signed: 0, refused: 0, broken: 0 });
  });
});
