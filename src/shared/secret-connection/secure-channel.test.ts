import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '../bytes.js';
import { HekateError, isHekateError } from '../errors.js';
import type { ByteChannel, RawChannel } from '../ports/byte-channel.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { channelPair, MemoryChannel } from '../../../test/support/memory-channel.js';
import { systemRandom } from '../ports/random.js';
import { FrameSealer } from './frames.js';
import { encodeHello } from './handshake-messages.js';
import { identityFromSeed } from './identity.js';
import { secureChannel, type SecureChannel, type SecureChannelOptions } from './secure-channel.js';
import vectors from './testdata/handshake.json' with { type: 'json' };

const runs = process.env['CI'] === 'true' ? 3_000 : 150;
const sha256 = (word: string): Uint8Array => new Uint8Array(createHash('sha256').update(word).digest());

const barHello = encodeHello(fromHex(vectors.bar.ephemeralPublic));
const barSealer = (): FrameSealer => new FrameSealer(fromHex(vectors.bar.send));
const barHandshake = (sealer = barSealer()): Uint8Array =>
  concat(barHello, sealer.seal(fromHex(vectors.bar.authMessage)));

function foo(options: Partial<SecureChannelOptions> = {}) {
  const raw = new MemoryChannel();
  const clock = new ManualClock();
  const identity = identityFromSeed(sha256('foo'));
  const promise = secureChannel(raw, { identity, clock, random: () => sha256('foo eph'), ...options });
  const outcome = promise.then(
    () => 'established',
    (error: unknown) => (isHekateError(error) ? error.code : 'not a HekateError'),
  );
  return { raw, clock, promise, outcome };
}

/** What reaches the user of a channel. */
function listen(channel: ByteChannel) {
  const seen: { bytes: number; ends: (string | undefined)[] } = { bytes: 0, ends: [] };
  channel.start({
    bytes: (bytes) => void (seen.bytes += bytes.length),
    closed: (reason) => void seen.ends.push(reason?.code),
  });
  return seen;
}

async function established() {
  const { raw, clock, promise } = foo();
  const sealer = barSealer();
  raw.receive(barHandshake(sealer));
  return { raw, clock, sealer, channel: await promise };
}

describe('secure channel', () => {
  it.each([1, 7, 1043, 1044, 100_000])(
    'connects two ends in pieces of %i bytes and carries 2,500 bytes',
    async (size) => {
      const clock = new ManualClock();
      const [a, b] = channelPair({ pieceBytes: size });
      const identities = ['foo', 'bar'].map((word) => identityFromSeed(sha256(word)));
      const open = (raw: RawChannel, i: number): Promise<SecureChannel> =>
        secureChannel(raw, { identity: identities[i] ?? identityFromSeed(sha256('')), clock, random: systemRandom });
      const [foo, bar] = await Promise.all([open(a, 0), open(b, 1)]);
      expect([foo.peerId, bar.peerId]).toEqual([identities[1]?.peerId, identities[0]?.peerId]);
      expect(clock.pending).toBe(0);
      const data = sha256('x');
      const got: Uint8Array[] = [];
      const ended = new Promise((resolve) =>
        bar.start({
          bytes: (bytes) => (got.push(bytes.slice()), concat(...got).length === 2500 && foo.close()),
          closed: resolve,
        }),
      );
      foo.start({ bytes() {}, closed() {} });
      const sent = new Uint8Array(2500).map((_, i) => (data[i % 32] ?? 0) ^ i);
      foo.write(sent);
      expect(await ended).toBeUndefined();
      expect(concat(...got)).toEqual(sent);
    },
  );

  it('says hello first, and proves its identity as soon as it can', () => {
    const { raw } = foo();
    expect(raw.written.map((bytes) => bytes.length)).toEqual([35]);
    raw.receive(barHello);
    expect(raw.written.map((bytes) => bytes.length)).toEqual([35, 1044]);
  });

  it('hands over what came before start()', async () => {
    const { raw, promise } = foo();
    const sealer = barSealer();
    raw.receive(concat(barHandshake(sealer), sealer.seal(new Uint8Array(2000))));
    raw.receive(sealer.seal(new Uint8Array(5)));
    expect(listen(await promise).bytes).toBe(2005);
  });

  it('does not keep more than 1 MiB for a user who does not start it', async () => {
    const { raw, sealer, channel } = await established();
    for (let i = 0; i < 1024; i++) raw.receive(sealer.seal(new Uint8Array(1024)));
    expect(raw.closes).toBe(0);
    raw.receive(sealer.seal(new Uint8Array(1)));
    expect(raw.closes).toBe(1);
    expect(listen(channel)).toEqual({ bytes: 0, ends: ['CHANNEL_QUEUE_FULL'] });
  });

  it.each<[string, (raw: MemoryChannel, sealer: FrameSealer, channel: SecureChannel) => void, string | undefined]>([
    ['a clean end', (raw) => raw.end(), undefined],
    ['an own close()', (_, __, channel) => channel.close(), undefined],
    ['a reset', (raw) => raw.end(new HekateError('SOCKET_RESET', 'x')), 'SOCKET_RESET'],
    ['a frame that does not decrypt', (raw) => raw.receive(new Uint8Array(1044)), 'SC_BAD_FRAME'],
    [
      'an end within a frame',
      (raw, sealer) => (raw.receive(sealer.seal(new Uint8Array(9)).subarray(9)), raw.end()),
      'SC_EOF_IN_FRAME',
    ],
    [
      'a bad frame behind a good one',
      (raw, s) => raw.receive(concat(s.seal(new Uint8Array(9)), new Uint8Array(1044))),
      'SC_BAD_FRAME',
    ],
  ])('%s is told once, and nothing is sent or received after it', async (_, end, code) => {
    const { raw, sealer, channel } = await established();
    const seen = listen(channel);
    end(raw, sealer, channel);
    expect(raw.closes).toBe(1);
    channel.close();
    raw.end();
    raw.handlers?.bytes(sealer.seal(new Uint8Array(3)));
    channel.write(new Uint8Array(3));
    expect(seen).toEqual({ bytes: 0, ends: [code] });
    expect(raw.written.length).toBe(2);
  });

  it('tells an end that came before start()', async () => {
    const { raw, sealer, channel } = await established();
    raw.receive(sealer.seal(new Uint8Array(3)));
    raw.end(new HekateError('SOCKET_RESET', 'x'));
    expect(listen(channel)).toEqual({ bytes: 0, ends: ['SOCKET_RESET'] });
  });

  it('can be closed while it delivers', async () => {
    const { raw, sealer, channel } = await established();
    let calls = 0;
    channel.start({ bytes: () => (calls++, channel.close()), closed: () => void (calls += 10) });
    raw.receive(sealer.seal(new Uint8Array(3)));
    expect(calls).toBe(11);
  });
});

describe('secure channel: the connection goes over from the handshake to the channel', () => {
  const five = new Uint8Array(5);
  it.each<[string, (raw: MemoryChannel, sealer: FrameSealer) => void, { bytes: number; ends: (string | undefined)[] }]>(
    [
      ['nothing behind the last message', (raw, s) => raw.receive(barHandshake(s)), { bytes: 0, ends: [] }],
      [
        'data directly behind it',
        (raw, s) => raw.receive(concat(barHandshake(s), s.seal(five))),
        { bytes: 5, ends: [] },
      ],
      [
        'data behind it in the same turn',
        (raw, s) => (raw.receive(barHandshake(s)), raw.receive(s.seal(five))),
        { bytes: 5, ends: [] },
      ],
      [
        'data that begins in the same chunk',
        (raw, s) => {
          const all = concat(barHandshake(s), s.seal(five));
          raw.receive(all.subarray(0, -1_000));
          raw.receive(all.subarray(-1_000));
        },
        { bytes: 5, ends: [] },
      ],
      [
        'the end in the same turn',
        (raw, s) => (raw.receive(barHandshake(s)), raw.end()),
        { bytes: 0, ends: [undefined] },
      ],
      [
        'a reset in the same turn',
        (raw, s) => (raw.receive(barHandshake(s)), raw.end(new HekateError('SOCKET_RESET', 'x'))),
        { bytes: 0, ends: ['SOCKET_RESET'] },
      ],
      [
        'half a frame and the end in the same turn',
        (raw, s) => (raw.receive(concat(barHandshake(s), s.seal(five).subarray(9))), raw.end()),
        { bytes: 0, ends: ['SC_EOF_IN_FRAME'] },
      ],
    ],
  )('%s: nothing is lost, nothing comes twice', async (_, play, expected) => {
    const { raw, promise } = foo();
    const sealer = barSealer();
    play(raw, sealer);
    const seen = listen(await promise);
    expect(seen).toEqual(expected);
    raw.receive(sealer.seal(new Uint8Array(3)));
    raw.end();
    const open = expected.ends.length === 0;
    expect(seen).toEqual(open ? { bytes: expected.bytes + 3, ends: [undefined] } : expected);
  });

  it('no frame enters the handshake any more', async () => {
    const { raw, channel } = await established();
    expect(raw.handlers).toBe(channel);
  });

  it('closed by its user before start(): told once, by start()', async () => {
    const { raw, channel } = await established();
    channel.close();
    channel.close();
    raw.end();
    expect(raw.closes).toBe(1);
    expect(listen(channel)).toEqual({ bytes: 0, ends: [undefined] });
  });
});

describe('secure channel: handshakes that fail', () => {
  it.each<[string, (raw: MemoryChannel, clock: ManualClock) => void, string]>([
    ['accepted and dropped', (raw) => raw.end(), 'SC_EOF_BEFORE_HELLO'],
    ['reset at once', (raw) => raw.end(new HekateError('SOCKET_RESET', 'x')), 'SC_EOF_BEFORE_HELLO'],
    ['not reached any more', (raw) => raw.end(new HekateError('SOCKET_TIMED_OUT', 'x')), 'SOCKET_TIMED_OUT'],
    ['failed within the hello', (raw) => raw.end(new HekateError('SOCKET_FAILED', 'x')), 'SOCKET_FAILED'],
    ['dropped within the hello', (raw) => (raw.receive(barHello.subarray(0, 9)), raw.end()), 'SC_EOF_IN_HANDSHAKE'],
    ['dropped after the hello', (raw) => (raw.receive(barHello), raw.end()), 'SC_EOF_IN_HANDSHAKE'],
    ['closed by us', (raw) => raw.close(), 'SC_EOF_BEFORE_HELLO'],
    ['silent', (_, clock) => clock.advance(3_000), 'SC_NO_HELLO'],
    [
      'stuck after its first byte',
      (raw, clock) => (raw.receive(barHello.subarray(0, 1)), clock.advance(3_000)),
      'SC_TIMEOUT',
    ],
    ['stuck after its hello', (raw, clock) => (raw.receive(barHello), clock.advance(3_000)), 'SC_TIMEOUT'],
    [
      'one byte a second',
      (raw, clock) => barHello.forEach((b) => (raw.receive(Uint8Array.of(b)), clock.advance(1_000))),
      'SC_TIMEOUT',
    ],
    ['not a secret connection', (raw) => raw.receive(new TextEncoder().encode('HTTP/1.1 400')), 'SC_BAD_HELLO'],
    ['an undecryptable proof', (raw) => raw.receive(concat(barHello, new Uint8Array(1044))), 'SC_BAD_FRAME'],
    ['right', (raw) => raw.receive(barHandshake()), 'established'],
    [
      'right, but slow',
      (raw, clock) => {
        clock.advance(2_999);
        raw.receive(barHello);
        clock.advance(2_999);
        raw.receive(barHandshake().subarray(35));
      },
      'established',
    ],
  ])('%s', async (_, play, expected) => {
    const { raw, clock, outcome } = foo();
    play(raw, clock);
    expect(await outcome).toBe(expected);
    expect(raw.closes > 0).toBe(expected !== 'established');
    expect(clock.pending).toBe(0);
  });

  it('waits for the first byte as long as it is told to', async () => {
    const { raw, clock, outcome } = foo({ helloTimeoutMs: 60_000 });
    clock.advance(59_999);
    expect(raw.closes).toBe(0);
    clock.advance(1);
    expect(await outcome).toBe('SC_NO_HELLO');
  });

  it('ignores what comes after it has failed', async () => {
    const { raw, outcome } = foo();
    raw.receive(new Uint8Array(1));
    raw.handlers?.bytes(barHandshake());
    raw.handlers?.closed(undefined);
    expect(await outcome).toBe('SC_BAD_HELLO');
    expect(raw.written.length).toBe(1);
  });
});

describe('secure channel against anything', () => {
  const chunks = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 1500 }), fc.constant(barHello), fc.constant(barHandshake().subarray(35))),
    {
      maxLength: 6,
    },
  );

  it('ends with a named reason and nothing else, before and after the handshake', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), chunks, fc.boolean(), async (afterHandshake, pieces, endFirst) => {
        const { raw, clock, promise } = foo();
        if (afterHandshake) raw.receive(barHandshake());
        const opened = promise.then(
          (channel) => listen(channel),
          (error: unknown) => ({ bytes: 0, ends: [isHekateError(error) ? error.code : 'not a HekateError'] }),
        );
        // The user of an open channel starts it before the next bytes arrive.
        await Promise.resolve();
        for (const piece of pieces) raw.receive(piece);
        if (endFirst) raw.end();
        clock.advance(10_000);
        raw.end();
        const seen = await opened;
        expect(seen.ends.length).toBe(1);
        expect(seen.ends[0] ?? 'SC_').toMatch(/^SC_/);
        expect(clock.pending).toBe(0);
        // Two messages at most are ours, whatever came: the hello and the proof of identity.
        expect(raw.written.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: runs },
    );
  });
});
