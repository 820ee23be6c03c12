import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HostileNode, type Behaviour } from '../support/hostile-node.js';
import * as ask from '../support/privval-requests.js';
import { DelimitedReader, bytesField, delimited, readFields, varint } from '../support/proto-fields.js';
import { runHekate } from '../support/run-hekate.js';
import { PRECOMMIT, type TestVote } from '../support/vote-bytes.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';

const cleanup = cleanupAfterEach();
const HOSTILE = 'hostile-1';
const MIB = 1024 * 1024;

const BARE: readonly (readonly [string, Behaviour & { bare: unknown }])[] = [
  ['DIAL_BAD_HELLO', { name: 'garbage instead of a hello', bare: (socket) => void socket.write(randomBytes(1000)) }],
  ['DIAL_BAD_HELLO', { name: 'a hello of 200 MB', bare: (socket) => void socket.write(varint(200n * BigInt(MIB))) }],
  [
    'DIAL_BAD_HELLO',
    { name: 'an http answer', bare: (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n') },
  ],
  ['DIAL_EOF_BEFORE_HELLO', { name: 'nothing and the end', bare: (socket) => void socket.end() }],
  [
    'DIAL_HANDSHAKE',
    { name: 'half a hello and the end', bare: (socket) => void socket.end(Buffer.from('220a20', 'hex')) },
  ],
];

const blockId = { hash: randomBytes(32), partsTotal: 1, partsHash: randomBytes(32) };
const timestamp = { seconds: 1_790_000_000n, nanos: 0 };
const VOTE: TestVote = { type: PRECOMMIT, height: 1n, round: 0, blockId, timestamp, chainId: HOSTILE };
const HUGE = ask.signVote({ ...VOTE, extension: new Uint8Array(10 * MIB) });

/** A channel takes only so much at once. */
async function inPieces(channel: ByteChannel, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += MIB / 4) {
    channel.write(bytes.subarray(at, at + MIB / 4));
    await delay(10);
  }
}

type Encrypted = (channel: ByteChannel) => void;

const ENCRYPTED: readonly (readonly [string, string, Encrypted])[] = [
  ['PRIVVAL_MALFORMED', 'garbage', (channel) => channel.write(Buffer.alloc(100, 0xff))],
  ['PRIVVAL_MALFORMED', 'a message that is no protobuf', (channel) => channel.write(delimited(Buffer.alloc(50, 0xff)))],
  ['PRIVVAL_OVERSIZED', 'a message of 100 MB', (channel) => channel.write(varint(100n * BigInt(MIB)))],
  [
    'PRIVVAL_FLOOD',
    'a thousand votes at once',
    (channel) => {
      const vote = ask.signVote(VOTE);
      channel.write(Buffer.concat(Array.from({ length: 1000 }, () => delimited(vote))));
    },
  ],
];

it('what a hostile node sends ends its own connection with a named reason; the node of another chain goes on', async () => {
  const connected = (act: Encrypted) => (channel: ByteChannel) => {
    channel.start({ bytes() {}, closed() {} });
    act(channel);
  };
  const answers: number[] = [];
  const hostile = await HostileNode.listen([
    ...BARE.map(([, behaviour]) => behaviour),
    ...ENCRYPTED.map(([, name, act]) => ({ name, encrypted: connected(act) })),
    {
      name: 'half a message and the end',
      encrypted: connected((channel) => {
        channel.write(delimited(new Uint8Array(600)).subarray(0, 500));
        setTimeout(() => channel.close(), 100);
      }),
    },
    {
      name: 'a broken frame',
      encrypted: (channel, raw) => {
        channel.start({ bytes() {}, closed() {} });
        raw.write(randomBytes(1044));
      },
    },
    { name: 'one byte a second', encrypted: connected((channel) => trickle(channel)) },
    {
      name: 'a vote extension of 10 MB, and a request like any other',
      encrypted: (channel) => {
        const reader = new DelimitedReader();
        const bytes = (received: Uint8Array): void => {
          for (const message of reader.push(received)) answers.push(readFields(message)[0]?.number ?? 0);
        };
        channel.start({ bytes, closed() {} });
        void inPieces(channel, delimited(HUGE)).then(() => channel.write(delimited(ask.publicKey(HOSTILE))));
      },
    },
  ]);
  cleanup.add(() => hostile.close());
  const at = await AskedCluster.start(cleanup, {
    name: 'hostile',
    chainId: 'good-1',
    links: 1,
    prepare: async ({ folder }) => {
      const run = await runHekate(['init', folder, '--chain-id', HOSTILE, '--node', hostile.address]);
      expect(run.code, run.stderr).toBe(0);
    },
  });

  let height = 0n;
  await eventually('the hostile node has done everything', 90_000, async () => {
    await at.signed({ step: 'Prevote', height: ++height });
    return answers.length > 1 ? true : undefined;
  });
  // The vote is refused, and its connection stays up.
  expect(answers).toEqual([4, 2]);
  expect(hostile.ended).toHaveLength(BARE.length + ENCRYPTED.length + 3);
  expect(at.unexplainedDrops()).toBe(0);

  const [link] = at.cluster.links;
  const told = (link?.events() ?? []).filter(({ chain, level }) => chain === HOSTILE && level === 'warn');
  const codes = new Set(told.map(({ code }) => code));
  for (const [code] of [...BARE, ...ENCRYPTED]) expect(codes).toContain(code);
  expect(codes).toContain('PRIVVAL_SLOW');
  // Bounded, whatever comes in.
  expect(told.length).toBeLessThan(60);
  expect(peakMegabytes(link?.pid ?? 0)).toBeLessThan(250);
});

it('what nobody may sign is refused each time, told once with both values, and counted', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'once', links: 1 });
  await at.signed({ step: 'Precommit', height: 50n });
  const requests = [
    {
      code: 'DOUBLE_SIGN',
      ballot: { step: 'Precommit', height: 50n, block: 'Y' },
      asked: 'height 50, round 0, precommit',
    },
    { code: 'HEIGHT_REGRESSION', ballot: { step: 'Precommit', height: 49n }, asked: 'height 49, round 0, precommit' },
    { code: 'HEIGHT_JUMP', ballot: { step: 'Prevote', height: 200_000n }, asked: 'height 200000, round 0, prevote' },
  ] as const;
  for (let times = 0; times < 5; times++) {
    for (const { code, ballot } of requests) expect((await at.refused(ballot)).error).toMatch(new RegExp(`^${code}: `));
  }
  const [link] = at.cluster.links;
  for (const { code, asked } of requests) {
    const told = (link?.events() ?? []).filter((event) => event.code === code);
    expect(told).toHaveLength(1);
    expect(told[0]?.['cause']).toMatch(new RegExp(`^cosigner-\\d: ${asked} `));
    expect(told[0]?.['cause']).toContain('the watermark is height 50, round 0, precommit');
    expect(told[0]?.['fix']).toBeTypeOf('string');
  }
  const { stdout } = await runHekate(['status', link?.home ?? '', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ status: { nodes: [{ signed: 1, refused: 15 }] } }]);
  await at.signed({ step: 'Prevote', height: 51n });
});

/** A message that begins well and never ends: longer than the node's own deadlines. */
function trickle(channel: ByteChannel): void {
  const message = delimited(bytesField(1, new Uint8Array(100)));
  let at = 0;
  const timer = setInterval(() => {
    channel.write(message.subarray(at, ++at));
    if (at > 60) clearInterval(timer);
  }, 1000);
  timer.unref();
}

function peakMegabytes(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peak) / 1024;
}
