import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { channelPair } from '../../../test/support/memory-channel.js';
import type { PrivvalRequest } from '../../shared/privval/request.js';
import { Backlog } from './backlog.js';
import { RemoteSignerClient } from './remote-signer-client.js';
import { SignerEndpoint, type AcceptGeneration } from './signer-endpoint.js';
import { signHonestly, TestSigner, type Respond } from '../../../test/support/test-signer.js';

const PING: PrivvalRequest = { kind: 'ping' };
const PUB_KEY: PrivvalRequest = { kind: 'pubKey', chainId: 'test-1' };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(generation: AcceptGeneration = 'C') {
  const clock = new ManualClock();
  const backlog = new Backlog(clock);
  const events: string[] = [];
  const endpoint = new SignerEndpoint({
    backlog,
    clock,
    generation,
    events: {
      connected: () => events.push(`connected ${clock.nowMs()}`),
      disconnected: () => events.push(`disconnected ${clock.nowMs()}`),
      acceptFailed: () => events.push(`accept failed ${clock.nowMs()}`),
      pinged: () => events.push(`pinged ${clock.nowMs()}`),
    },
  });
  endpoint.start();
  const dial = (respond: Respond = signHonestly): TestSigner => {
    const [near, far] = channelPair();
    backlog.push({ open: () => Promise.resolve(near), drop: () => near.close() });
    return new TestSigner(far, respond).start();
  };
  const dialDead = (): void =>
    backlog.push({ open: () => Promise.reject(new HekateError('SC_EOF_BEFORE_HELLO', 'gone')), drop() {} });
  /** Moves the clock in steps, letting everything run in between. */
  const pass = async (ms: number): Promise<void> => {
    await settle();
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(Math.min(100, left));
      await settle();
    }
  };
  /** The outcome of a request as it comes: a kind, or an error code with its time. */
  const ask = (request: PrivvalRequest): { outcome: string } => {
    const result = { outcome: 'pending' };
    endpoint.request(request).then(
      (response) => (result.outcome = response.kind),
      (error: unknown) => (result.outcome = `${(error as HekateError).code} ${clock.nowMs()}`),
    );
    return result;
  };
  return { clock, endpoint, events, dial, dialDead, pass, ask };
}

describe('SignerEndpoint', () => {
  it('takes a signer, asks it, and pings it only when it has nothing else to ask', async () => {
    const { events, dial, pass, ask } = setUp();
    const signer = dial();
    await pass(3000);
    ask(PUB_KEY);
    await pass(3300);
    expect(signer.asked).toEqual([PUB_KEY]);
    await pass(100);
    expect(signer.asked).toEqual([PUB_KEY, PING]);
    expect(events).toEqual(['connected 0', 'pinged 6400']);
    await pass(3400);
    expect(signer.asked).toEqual([PUB_KEY, PING, PING]);
  });

  it('a request waits 3 s for a signer, and no longer', async () => {
    const { dial, pass, ask } = setUp();
    const early = ask(PUB_KEY);
    await pass(3000);
    expect(early.outcome).toBe('SIGNER_ABSENT 3000');
    const next = ask(PUB_KEY);
    await pass(2900);
    dial();
    await pass(0);
    expect(next.outcome).toBe('pubKey');
  });

  it('serves the first signer; the second gets nothing until that one is gone', async () => {
    const { dial, pass, ask } = setUp();
    const first = dial();
    const second = dial();
    for (let i = 0; i < 3; i++) {
      ask(PUB_KEY);
      await pass(1000);
    }
    expect([first.asked.length, second.asked.length]).toEqual([3, 0]);
    first.channel.close();
    const broken = ask(PUB_KEY);
    const after = ask(PUB_KEY);
    await pass(100);
    expect(broken.outcome).toMatch(/^SIGNER_LOST/);
    expect(after.outcome).toBe('pubKey');
    expect(second.asked).toHaveLength(1);
  });

  it('gives a silent signer up after 5 s and turns to the next', async () => {
    const { dial, pass, ask } = setUp();
    const silent = dial(() => undefined);
    const next = dial();
    const first = ask(PUB_KEY);
    await pass(5000);
    expect(first.outcome).toBe('SIGNER_SILENT 5000');
    expect(silent.ended).toBeDefined();
    const second = ask(PUB_KEY);
    await pass(0);
    expect(second.outcome).toBe('pubKey');
    // The ping that fell due meanwhile goes first.
    expect(next.asked).toEqual([PING, PUB_KEY]);
  });

  it('a ping that fails drops the connection', async () => {
    const { events, dial, pass } = setUp();
    dial(() => undefined);
    dial();
    await pass(3400 + 5000);
    expect(events).toEqual(['connected 0', 'disconnected 8400', 'connected 8400']);
  });

  it.each<[AcceptGeneration, number]>([
    ['A', 15_000],
    ['C', 0],
  ])('generation %s: five dead signers before a live one cost %i ms', async (generation, costMs) => {
    const { clock, dial, dialDead, pass, ask } = setUp(generation);
    for (let i = 0; i < 6; i++) dialDead();
    dial();
    await pass(0);
    for (let tries = 0; tries < 20; tries++) {
      const { outcome } = await (async () => {
        const result = ask(PUB_KEY);
        while (result.outcome === 'pending') await pass(100);
        return result;
      })();
      if (outcome === 'pubKey') break;
      expect(outcome).toMatch(/^SIGNER_ABSENT/);
    }
    expect(Math.floor(clock.nowMs() / 3000) * 3000).toBe(costMs);
  });

  it('stop ends waiting requests at once', async () => {
    const { clock, endpoint, pass, ask } = setUp();
    const result = ask(PUB_KEY);
    await pass(100);
    endpoint.stop();
    await settle();
    expect(result.outcome).toBe('SIGNER_ABSENT 100');
    expect(clock.pending).toBe(0);
  });
});

describe('RemoteSignerClient', () => {
  function connect(respond: Respond) {
    const clock = new ManualClock();
    const [near, far] = channelPair();
    const signer = new TestSigner(far, respond).start();
    const client = new RemoteSignerClient(near, clock);
    client.start();
    return { clock, signer, client };
  }

  it.each<[string, string, string]>([
    ['an answer above 10,240 bytes', '815042', 'PRIVVAL_OVERSIZED'],
    ['rubbish', '02ffff', 'PRIVVAL_MALFORMED'],
    ['a length without end', 'ffffffffff', 'PRIVVAL_MALFORMED'],
  ])('%s ends the connection', async (_name, hex, code) => {
    const { client, clock, signer } = connect(() => fromHex(hex));
    await expect(client.request(PING)).rejects.toMatchObject({ code });
    await settle();
    expect(client.connected).toBe(false);
    expect(signer.ended).toBeDefined();
    expect(clock.pending).toBe(0);
    await expect(client.request(PING)).rejects.toMatchObject({ code });
  });

  it('a second answer ends it too', async () => {
    const { client } = connect(() => fromHex('024200024200'));
    await expect(client.request(PING)).resolves.toEqual({ kind: 'ping' });
    await settle();
    await expect(client.request(PING)).rejects.toMatchObject({ code: 'SIGNER_ANSWER' });
  });

  it('any answer is an answer or a named end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const { client, clock } = connect(() => bytes);
        const result = client.request(PING).then(
          () => 'answer',
          (error: HekateError) => error.code,
        );
        await settle();
        clock.advance(5000);
        expect(['answer', 'PRIVVAL_OVERSIZED', 'PRIVVAL_MALFORMED', 'SIGNER_SILENT']).toContain(await result);
      }),
      { numRuns: process.env['CI'] === 'true' ? 10_000 : 300 },
    );
  });
});
