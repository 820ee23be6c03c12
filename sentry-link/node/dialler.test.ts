import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HekateError } from '../../src/shared/errors.js';
import { FIXES, type ErrorCode } from '../../src/shared/error-codes.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Log, LogFields } from '../../src/shared/ports/log.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { MemoryChannel } from '../../test/support/memory-channel.js';
import { Dialler } from './dialler.js';
import { classifyDial } from './dial-error.js';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';

const address = parseNodeAddress('tcp://10.1.0.2:26659');

interface Attempt {
  readonly atMs: number;
  readonly aborted: boolean;
  settled: boolean;
  succeed(): Promise<MemoryChannel>;
  fail(error: unknown): Promise<void>;
}

/** Lets promises settle. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

const errno = (code: string): Error => Object.assign(new Error(code), { code });
const coded = (code: ErrorCode): HekateError => new HekateError(code, 'x');
/** Of a connection that was open already. */
const broken = (code: ErrorCode, what: string): HekateError => new HekateError(code, 'x', { cause: errno(what) });

function setUp(onServe: (channel: ByteChannel, dialler: Dialler) => void = () => {}) {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const lines: [string, LogFields][] = [];
  const failures: string[] = [];
  const served: ByteChannel[] = [];
  const ends: (string | undefined)[] = [];
  const line =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push([`${level} ${event}`, fields]);
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const dialler = new Dialler({
    chain: 'test-1',
    address,
    clock,
    log,
    random: () => Uint8Array.of(255),
    failed: (code) => failures.push(code),
    serve: (channel) => {
      served.push(channel);
      channel.start({ bytes() {}, closed: (reason) => ends.push(reason?.code) });
      onServe(channel, dialler);
    },
    connect: (_, abort) =>
      new Promise((resolve, reject) => {
        attempts.push({
          atMs: clock.nowMs(),
          settled: false,
          get aborted() {
            return abort.aborted;
          },
          async succeed() {
            this.settled = true;
            const channel = new MemoryChannel();
            resolve(channel);
            await settle();
            return channel;
          },
          async fail(error) {
            this.settled = true;
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
            reject(error);
            await settle();
          },
        });
      }),
  });
  const last = (): Attempt => attempts[attempts.length - 1] ?? expect.fail('nothing was dialled');
  const open = (): void => {
    dialler.open();
    clock.advance(0);
  };
  return { clock, dialler, attempts, lines, failures, served, ends, last, open };
}

describe('dialler: when it dials', () => {
  it('dials nothing before open()', () => {
    const { clock, attempts } = setUp();
    clock.advance(60_000);
    expect(attempts).toEqual([]);
  });

  it('dials nothing for a timer that fires although it was cancelled', () => {
    const { dialler, attempts, clock } = setUp();
    let due: () => void = () => expect.unreachable('nothing was scheduled');
    clock.schedule = (_, task) => {
      due = task;
      return { cancel() {} };
    };
    dialler.open();
    dialler.close();
    expect(due).toThrow('a node is dialled only while there is no connection to it and we lead');
    expect(attempts).toEqual([]);
  });

  it('dials at once when opened, and serves the connection', async () => {
    const { dialler, served, open, last } = setUp();
    open();
    expect(dialler.state).toBe('dialling');
    await last().succeed();
    expect(dialler.state).toBe('connected');
    expect(served.length).toBe(1);
  });

  it('dials a refusing node every 0.5 s and some jitter, not more often', async () => {
    const { clock, attempts, open, last } = setUp();
    open();
    for (let i = 0; i < 4; i++) {
      await last().fail(errno('ECONNREFUSED'));
      clock.advance(599);
      expect(attempts.length).toBe(i + 1);
      clock.advance(1);
    }
    expect(attempts.map((attempt) => attempt.atMs)).toEqual([0, 600, 1200, 1800, 2400]);
  });

  /** How long after each dial, which went as `end` says, the next one came. */
  const waits = async (world: ReturnType<typeof setUp>, ends: readonly (() => Promise<void>)[]): Promise<number[]> => {
    world.open();
    for (const end of ends) {
      const count = world.attempts.length;
      await end();
      while (world.attempts.length === count) world.clock.advance(100);
    }
    return world.attempts.slice(1).map(({ atMs }, at) => atMs - world.attempts[at]!.atMs);
  };

  it('dials what is wrong less often each time, down to every 5 s, until it is wrong no more', async () => {
    const world = setUp();
    const fails = (error: unknown) => () => world.last().fail(error);
    const wrong = [coded('SC_BAD_HELLO'), coded('SC_BAD_AUTH'), coded('SC_BAD_HELLO'), coded('SC_AUTH_FAILED')].map(
      fails,
    );
    const ends = [...wrong, ...wrong, fails(errno('ECONNREFUSED')), ...wrong];
    expect(await waits(world, ends)).toEqual([
      ...[600, 1_100, 2_100, 4_100, 5_100, 5_100, 5_100, 5_100],
      ...[600, 600, 1_100, 2_100, 4_100],
    ]);
  });

  it('dials so too a node whose messages we do not take, and soon one that just went away', async () => {
    const world = setUp();
    const ends = (end: (channel: MemoryChannel) => void) => async () => {
      const channel = await world.last().succeed();
      channel.receive(Uint8Array.of(1));
      end(channel);
      await settle();
    };
    const broken = ends(() => world.served.at(-1)!.close());
    const gone = ends((channel) => channel.end(undefined));
    const cut = ends((channel) => channel.end(coded('SC_BAD_FRAME')));
    expect(await waits(world, [broken, broken, cut, gone, broken])).toEqual([600, 1_100, 2_100, 600, 600]);
  });

  it('has one attempt at a time, however long it takes', () => {
    const { clock, attempts, open } = setUp();
    open();
    clock.advance(59_000);
    open();
    expect(attempts.length).toBe(1);
  });

  it('dials nothing while connected', async () => {
    const { clock, attempts, open, last } = setUp();
    open();
    await last().succeed();
    open();
    clock.advance(600_000);
    expect(attempts.length).toBe(1);
  });

  it.each([
    ['that was in use', true, [0, 5_000]],
    ['that never was of use', false, [0, 5_600]],
  ])('dials again when a connection ends %s', async (_, heard, atMs) => {
    const { clock, attempts, open, last } = setUp();
    open();
    const channel = await last().succeed();
    if (heard) channel.receive(Uint8Array.of(1));
    clock.advance(5_000);
    channel.end();
    clock.advance(599);
    clock.advance(1);
    expect(attempts.map((attempt) => attempt.atMs)).toEqual(atMs);
  });

  it('dials at most once in 0.5 s also when it is closed and opened in between', () => {
    const { clock, attempts, dialler, open } = setUp();
    for (let i = 0; i < 100; i++) {
      open();
      clock.advance(10);
      dialler.close();
    }
    expect(attempts.map((attempt) => attempt.atMs)).toEqual([0, 600]);
  });
});

describe('dialler: close()', () => {
  it('destroys the connection before it returns, and dials nothing after', async () => {
    const { clock, dialler, attempts, ends, failures, open, last } = setUp();
    open();
    const channel = await last().succeed();
    dialler.close();
    expect([channel.ended, ends, dialler.state]).toEqual([true, [undefined], 'closed']);
    clock.advance(60_000);
    expect(attempts.length).toBe(1);
    expect(failures).toEqual([]);
  });

  it('aborts an attempt', () => {
    const { clock, dialler, attempts, open, last } = setUp();
    open();
    dialler.close();
    expect(last().aborted).toBe(true);
    clock.advance(60_000);
    expect(attempts.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('drops a connection that comes too late, and does not serve it', async () => {
    const { dialler, served, open, last } = setUp();
    open();
    dialler.close();
    expect((await last().succeed()).ended).toBe(true);
    expect(served).toEqual([]);
  });

  it('drops a late connection of an earlier attempt when it is open again', async () => {
    const { clock, dialler, served, attempts, open } = setUp();
    open();
    dialler.close();
    open();
    clock.advance(600);
    expect((await attempts[0]?.succeed())?.ended).toBe(true);
    expect((await attempts[1]?.succeed())?.ended).toBe(false);
    expect(served.length).toBe(1);
  });

  it('cancels a dial that was due', async () => {
    const { clock, dialler, attempts, open, last } = setUp();
    open();
    await last().fail(errno('ECONNREFUSED'));
    dialler.close();
    clock.advance(60_000);
    expect(attempts.length).toBe(1);
  });

  it('can come from within serve()', async () => {
    const { clock, dialler, attempts, open, last } = setUp((_, it) => it.close());
    open();
    expect((await last().succeed()).ended).toBe(true);
    clock.advance(60_000);
    expect([dialler.state, attempts.length]).toEqual(['closed', 1]);
  });
});

describe('dialler: half-open connections', () => {
  it('waits for a first message for ever', async () => {
    const { clock, dialler, open, last } = setUp();
    open();
    await last().succeed();
    clock.advance(3_600_000);
    expect(dialler.state).toBe('connected');
  });

  it('gives up 10 s after the last message', async () => {
    const { clock, dialler, ends, failures, open, last } = setUp();
    open();
    const channel = await last().succeed();
    for (const gap of [0, 3_333, 9_999, 9_999]) {
      clock.advance(gap);
      channel.receive(Uint8Array.of(1));
    }
    clock.advance(9_999);
    expect(dialler.state).toBe('connected');
    clock.advance(1);
    expect([channel.ended, ends, failures]).toEqual([true, ['DIAL_IDLE'], ['DIAL_IDLE']]);
    clock.advance(1);
    expect(dialler.state).toBe('dialling');
  });

  it('leaves no timer behind', async () => {
    const { clock, dialler, open, last } = setUp();
    open();
    const channel = await last().succeed();
    channel.receive(Uint8Array.of(1));
    dialler.close();
    expect(clock.pending).toBe(0);
  });
});

describe('dialler: what a failure means', () => {
  it.each<[string, unknown]>([
    ['DIAL_REFUSED', errno('ECONNREFUSED')],
    ['DIAL_UNREACHABLE', errno('EHOSTUNREACH')],
    ['DIAL_UNREACHABLE', errno('ENETUNREACH')],
    ['DIAL_UNKNOWN_HOST', errno('ENOTFOUND')],
    ['DIAL_DNS_FAILED', errno('EAI_AGAIN')],
    ['DIAL_DNS_TIMEOUT', errno('ETIMEOUT')],
    ['DIAL_SYN_TIMEOUT', errno('ETIMEDOUT')],
    ['DIAL_SYN_TIMEOUT', coded('DIAL_SYN_TIMEOUT')],
    ['DIAL_EOF_BEFORE_HELLO', coded('SC_EOF_BEFORE_HELLO')],
    ['DIAL_EOF_BEFORE_HELLO', errno('ECONNRESET')],
    ['DIAL_SILENT', coded('SC_NO_HELLO')],
    ['DIAL_BAD_HELLO', coded('SC_BAD_HELLO')],
    ['DIAL_BAD_HELLO', coded('SC_REFLECTION')],
    ['DIAL_BAD_HELLO', coded('SC_LOW_ORDER_KEY')],
    ['DIAL_AUTH', coded('SC_BAD_AUTH')],
    ['DIAL_AUTH', coded('SC_AUTH_FAILED')],
    ['DIAL_AUTH', coded('SC_BAD_FRAME')],
    ['DIAL_HANDSHAKE', coded('SC_TIMEOUT')],
    ['DIAL_HANDSHAKE', coded('SC_EOF_IN_HANDSHAKE')],
    ['DIAL_NO_SOCKET', errno('ENOENT')],
    ['DIAL_NOT_A_SOCKET', errno('ENOTSOCK')],
    ['DIAL_PERMISSION', errno('EACCES')],
    ['DIAL_SYN_TIMEOUT', broken('SOCKET_TIMED_OUT', 'ETIMEDOUT')],
    ['DIAL_UNREACHABLE', broken('SOCKET_FAILED', 'EHOSTUNREACH')],
    ['DIAL_FAILED', broken('SOCKET_FAILED', 'EPROTO')],
    ['DIAL_FAILED', errno('EMFILE')],
    ['DIAL_FAILED', 'not even an error'],
  ])('%s for %s', async (code, error) => {
    const { failures, dialler, open, last } = setUp();
    open();
    await last().fail(error);
    expect(failures).toEqual([code]);
    expect(dialler.lastFailure).toBe(code);
    expect(classifyDial(error, address).message).toContain(code === 'DIAL_SYN_TIMEOUT' ? '' : address.text);
  });

  it('says SILENT after 3 s, and keeps the connection for when the node turns to it', async () => {
    const { clock, dialler, failures, served, open, last } = setUp();
    open();
    clock.advance(2_999);
    expect([failures, dialler.accepted]).toEqual([[], false]);
    clock.advance(1);
    expect([failures, last().aborted, dialler.accepted]).toEqual([['DIAL_SILENT'], false, true]);
    clock.advance(20_000);
    await last().succeed();
    expect([failures, served.length]).toEqual([['DIAL_SILENT'], 1]);
    expect(dialler.accepted).toBe(true);
    dialler.close();
    expect(dialler.accepted).toBe(false);
  });

  it('says SILENT again every ten minutes, for as long as the node does not turn to it', async () => {
    const { clock, dialler, failures, lines, open, last } = setUp();
    const causes = (): readonly string[] =>
      lines.flatMap(([, { code, cause }]) =>
        code === 'DIAL_SILENT' ? [/within (\d+ ms)/.exec(String(cause))![1]!] : [],
      );
    open();
    clock.advance(602_999);
    expect(causes()).toEqual(['3000 ms']);
    clock.advance(1);
    clock.advance(600_000);
    expect(causes()).toEqual(['3000 ms', '603000 ms', '1203000 ms']);
    expect([failures, last().aborted, dialler.accepted]).toEqual([['DIAL_SILENT'], false, true]);
    await last().succeed();
    clock.advance(1_800_000);
    expect(causes()).toHaveLength(3);
  });

  it('says nothing more of a silent node once it is closed', () => {
    const { clock, dialler, lines, open } = setUp();
    open();
    clock.advance(3_000);
    dialler.close();
    clock.advance(1_800_000);
    expect(lines.filter(([, { code }]) => code === 'DIAL_SILENT')).toHaveLength(1);
  });

  it('a dial that failed for want of a hello is none that the node has accepted', async () => {
    const { clock, dialler, open, last } = setUp();
    open();
    clock.advance(3_000);
    await last().fail(coded('SC_NO_HELLO'));
    clock.advance(2_000);
    expect([dialler.state, dialler.lastFailure, dialler.accepted]).toEqual(['dialling', 'DIAL_SILENT', false]);
  });

  it.each<[string, boolean, HekateError | undefined, string]>([
    ['accepted and dropped', false, undefined, 'DIAL_DROPPED'],
    ['reset before a request', false, coded('SOCKET_RESET'), 'DIAL_DROPPED'],
    ['dropped later', true, undefined, 'DIAL_LOST'],
    ['reset later', true, coded('SOCKET_RESET'), 'DIAL_LOST'],
  ])('%s', async (_, heard, reason, code) => {
    const { failures, ends, open, last } = setUp();
    open();
    const channel = await last().succeed();
    if (heard) channel.receive(Uint8Array.of(1));
    channel.end(reason);
    expect([failures, ends]).toEqual([[code], [reason?.code]]);
  });

  it.each<[string, unknown, string]>([
    ['of what was found underneath', coded('SC_REFLECTION'), FIXES.SC_REFLECTION],
    ['for what the system says', errno('EMFILE'), 'allow this process more open files (ulimit -n)'],
    ['that is usual, where that is not about this', errno('ENOENT'), FIXES.DIAL_NO_SOCKET],
  ])('comes with the fix %s', (_, error, fix) => {
    expect(classifyDial(error, address).fix).toBe(fix);
  });

  it('an end of a connection comes with the fix of its reason', async () => {
    const { lines, open, last } = setUp();
    open();
    (await last().succeed()).end(coded('CHANNEL_QUEUE_FULL'));
    expect(lines.at(-1)?.[1]).toMatchObject({ code: 'DIAL_DROPPED', fix: FIXES.CHANNEL_QUEUE_FULL });
  });

  it('hints at docker-proxy when a connection is accepted and dropped', () => {
    expect(classifyDial(coded('SC_EOF_BEFORE_HELLO'), address).fix).toContain('docker-proxy');
  });
});

describe('dialler: what it logs', () => {
  const warnings = (lines: readonly [string, LogFields][]) =>
    lines.filter(([event]) => event.startsWith('warn')).map(([, { code, repeated }]) => [code, repeated]);

  it('tells a failure at once, and the same one once a minute with a count', async () => {
    const { clock, lines, open, last } = setUp();
    open();
    for (let i = 0; i < 250; i++) {
      await last().fail(errno('ECONNREFUSED'));
      clock.advance(600);
    }
    expect(warnings(lines)).toEqual([
      ['DIAL_REFUSED', undefined],
      ['DIAL_REFUSED', 99],
      ['DIAL_REFUSED', 99],
    ]);
    expect(lines[0]?.[1]).toMatchObject({
      chain: 'test-1',
      node: address.text,
      fix: expect.stringContaining('start the node') as string,
    });
  });

  it('tells another class of failure at once, and a success', async () => {
    const { clock, lines, open, last } = setUp();
    open();
    for (const code of ['ECONNREFUSED', 'ECONNREFUSED', 'EHOSTUNREACH', 'ECONNREFUSED']) {
      await last().fail(errno(code));
      clock.advance(600);
    }
    await last().succeed();
    expect(lines.map(([event, { code }]) => [event, code])).toEqual([
      ['warn no connection to the node', 'DIAL_REFUSED'],
      ['warn no connection to the node', 'DIAL_UNREACHABLE'],
      ['warn no connection to the node', 'DIAL_REFUSED'],
      ['info connected to the node', undefined],
    ]);
  });

  it('writes a bounded number of lines about a node that connects and drops for an hour', async () => {
    const { clock, lines, failures, open, last } = setUp();
    open();
    while (clock.nowMs() < 3_600_000) {
      (await last().succeed()).end();
      clock.advance(600);
    }
    expect(failures.length).toBe(6_000);
    expect(lines.length).toBeLessThanOrEqual(61 * 10);
    const told = warnings(lines).reduce((sum, [, repeated]) => sum + 1 + Number(repeated ?? 0), 0);
    expect(told).toBeGreaterThan(5_800);
    expect(told).toBeLessThanOrEqual(6_000);
  });
});

describe('dialler against any world', () => {
  const step = fc.oneof(
    fc.constantFrom('open', 'close', 'succeed', 'fail', 'end', 'say', 'hang up', 'late'),
    fc.nat({ max: 4_000 }).map((ms) => ms),
  );

  it('never has two connections, none while closed, and never dials twice within 0.5 s', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = setUp();
        const channels: MemoryChannel[] = [];
        for (const what of steps) {
          const attempt = world.attempts[world.attempts.length - 1];
          if (typeof what === 'number') world.clock.advance(what);
          else if (what === 'open') world.open();
          else if (what === 'close') world.dialler.close();
          else if (what === 'succeed' && attempt) channels.push(await attempt.succeed());
          else if (what === 'fail') await attempt?.fail(errno('ECONNREFUSED'));
          else if (what === 'end') channels.at(-1)?.end(coded('SOCKET_RESET'));
          else if (what === 'say') channels.at(-1)?.receive(Uint8Array.of(1));
          else if (what === 'hang up') world.served.at(-1)?.close();
          else if (what === 'late') for (const old of world.attempts) channels.push(await old.succeed());
          const { state } = world.dialler;
          const alive = channels.filter((channel) => channel.handlers !== undefined && !channel.ended).length;
          expect(alive).toBe(state === 'connected' ? 1 : 0);
          const dialling = world.attempts.filter((a) => !a.aborted && !a.settled).length;
          expect(dialling).toBe(state === 'dialling' ? 1 : 0);
        }
        const gaps = world.attempts.slice(1).map((a, i) => a.atMs - (world.attempts[i]?.atMs ?? 0));
        expect(gaps.every((gap) => gap >= 500)).toBe(true);
      }),
      { numRuns: process.env['CI'] === 'true' ? 1_000 : 150 },
    );
  });
});
