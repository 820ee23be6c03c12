import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OnLink } from '../../cosigner/links/link-stream.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { FIXES, type ErrorCode } from '../../src/shared/error-codes.js';
import { must } from '../../src/shared/invariant.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { FrameSealer } from '../../src/shared/secret-connection/frames.js';
import { encodeHello, ephemeralKeyIn, HELLO_BYTES } from '../../src/shared/secret-connection/handshake-messages.js';
import { deriveSession, ephemeralKey } from '../../src/shared/secret-connection/key-schedule.js';
import { LINK_PATH } from '../../src/shared/transport/contract.js';
import { frameLinkMessage } from '../../src/shared/transport/grpc-frames.js';
import { pinOf } from '../../src/shared/transport/identity.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode } from '../support/asking-node.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { HostileNode, type Behaviour } from '../support/hostile-node.js';
import { Middle, type Conduct } from '../support/middle.js';
import * as ask from '../support/privval-requests.js';
import { delimited, varint } from '../support/proto-fields.js';
import { runHekate } from '../support/run-hekate.js';
import { heartbeatReply, memberOf, TestCosigner } from '../transport/stream-fixture.js';

// docs/errors.md: something breaks between running processes, its code is logged with a fix, and who follows that fix has a
// cluster that signs again. What keeps a process from starting is in bad-start.test.ts.

const cleanup = cleanupAfterAll();
/** Bytes of the sealed frame with which a node proves who it is. */
const AUTH_FRAME = 1044;

let at: AskedCluster;
/** What the link dials as the node, and as cosigner 1. All cosigners are needed for a signature. */
let toNode: Middle;
let toCosigner: Middle;
let height = 0n;
let seen = 0;

const link = (): HekateProcess => must(at.cluster.links[0], 'a link');
const cosigner = (id: 1 | 2 | 3): HekateProcess => must(at.cluster.cosigners[id - 1], 'a cosigner');
const linkToml = (): string => join(link().home, 'sentry-link.toml');

function edit(file: string, from: string | RegExp, to: string | ((found: string) => string)): void {
  const before = readFileSync(file, 'utf8');
  const after = typeof to === 'string' ? before.replace(from, to) : before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

async function restart(process: HekateProcess): Promise<void> {
  await process.stop();
  await process.start();
}

/** What a link configured with another node address says, and then with the right one. */
const elsewhere = (address: () => string): Pick<Row, 'damage' | 'follow'> => ({
  damage: async () => {
    edit(linkToml(), at.node.address.replace(/\d+$/, String(toNode.port)), address());
    await restart(link());
  },
  follow: async () => {
    edit(linkToml(), address(), at.node.address.replace(/\d+$/, String(toNode.port)));
    await restart(link());
  },
});

/** Something else than the node, at an address that the link is given by mistake. */
function answering(behaviour: Behaviour): Pick<Row, 'damage' | 'follow'> {
  let node: HostileNode;
  const there = elsewhere(() => node.address);
  const damage = async (): Promise<void> => {
    node = await HostileNode.listen([behaviour]);
    cleanup.add(() => node.close());
    await there.damage();
  };
  return { damage, follow: there.follow };
}

/** As a node whose identity is not of the type that CometBFT has. */
function proveSecp256k1(socket: Socket): void {
  const own = ephemeralKey(systemRandom);
  const proof = Uint8Array.from([0x67, 0x0a, 0x23, 0x12, 0x21, ...new Uint8Array(99)]);
  socket.write(encodeHello(own.publicKey));
  socket.once('data', (bytes: Buffer) => {
    const { send } = deriveSession(own, ephemeralKeyIn(bytes.subarray(0, HELLO_BYTES)));
    socket.write(new FrameSealer(send).seal(proof));
  });
}

/** A node that is connected, and then does what none does. */
const saying = (name: string, say: (channel: ByteChannel) => void): Pick<Row, 'damage' | 'follow'> =>
  answering({
    name,
    encrypted: (channel) => {
      channel.start({ bytes() {}, closed() {} });
      say(channel);
    },
  });

function inTheWay(conduct: Conduct): Pick<Row, 'damage' | 'follow'> {
  return { damage: () => toNode.set(conduct), follow: () => toNode.set('through') };
}

/** Of the link, from now on; with 3 it can open none that is not open yet. */
const allowFiles = (count: number): void => {
  execFileSync('prlimit', ['--pid', String(link().pid), `--nofile=${count}:`]);
};

interface Row {
  readonly code: ErrorCode;
  /** The code of the line that carries it, where it is found below a connection. */
  readonly as?: ErrorCode;
  /** Who says it: the link, if nobody else is named. */
  readonly said?: () => HekateProcess;
  readonly damage: () => unknown;
  readonly follow: () => unknown;
  /** Default: the node that always is there has a vote signed. */
  readonly signs?: () => Promise<unknown>;
}

beforeAll(async () => {
  at = await AskedCluster.start(cleanup, {
    ...{ name: 'fixes', cosigners: 3, threshold: 3, links: 1 },
    prepare: async ({ ports, links }) => {
      const [port = 0] = ports;
      toCosigner = await Middle.listen(port);
      const file = join(must(links[0], 'a link').home, 'sentry-link.toml');
      const address = must(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(file, 'utf8')), 'the address of the node');
      toNode = await Middle.listen(Number(address[1]));
      cleanup.add(() => Promise.all([toNode.close(), toCosigner.close()]));
      edit(file, `127.0.0.1:${port}"`, `127.0.0.1:${toCosigner.port}"`);
      edit(file, address[0], `tcp://127.0.0.1:${toNode.port}`);
    },
  });
  await makeStranger();
});

/** Another cluster, whose link has the same name. */
async function makeStranger(): Promise<void> {
  const run = await runHekate([
    ...['init', at.folder.file('stranger'), '--chain-id', at.chainId, '--node', 'unix:///nowhere'],
    ...['--threshold', '2', '--cosigner', '127.0.0.1:1', '127.0.0.1:2', '--links', '1'],
  ]);
  expect(run.code, run.stderr).toBe(0);
  rmSync(at.folder.file('stranger', 'sentry-link-1/tls/peers'), { recursive: true });
  cpSync(join(link().home, 'tls'), at.folder.file('own-tls'), { recursive: true });
}

beforeEach(async () => {
  // A process that has said much in a minute says less.
  await restart(link());
  await at.signedAtLast({ step: 'Precommit', height: ++height });
});

async function follow({ code, as = code, said = link, damage, follow, signs }: Row): Promise<void> {
  seen = said().events().length;
  await damage();
  const event = await eventually(`${said().name} says ${code}`, 20_000, () =>
    said()
      .events()
      .slice(seen)
      .find((one) => one['code'] === as && (as === code || String(one['cause']).endsWith(`(${code})`))),
  );
  expect(event['fix']).toBeTypeOf('string');
  if (as !== code) expect(event['fix']).toBe(FIXES[code]);
  await follow();
  await (signs ?? (() => at.signedAtLast({ step: 'Precommit', height: ++height })))();
}

const through = (middle: () => Middle): (() => void) => {
  return () => middle().set('through');
};

describe('between link and node', () => {
  const sockets = (): string => at.folder.file('sockets');
  const onSocket = async (): Promise<void> => {
    const node = await AskingNode.listen(join(sockets(), 'n.sock'), at.chainId);
    cleanup.add(() => node.close());
    await node.connected(10_000);
    const answer = await node.vote(at.vote({ step: 'Precommit', height: ++height }));
    expect(answer.kind).toBe('signed');
    await node.close();
    await elsewhere(() => `unix://${sockets()}/n.sock`).follow();
  };
  const unix = elsewhere(() => `unix://${sockets()}/n.sock`);

  it.each<Row>([
    { code: 'DIAL_REFUSED', damage: () => toNode.close(), follow: () => toNode.listen() },
    { code: 'SC_EOF_BEFORE_HELLO', as: 'DIAL_EOF_BEFORE_HELLO', ...inTheWay('drop') },
    { code: 'SC_BAD_HELLO', as: 'DIAL_BAD_HELLO', ...inTheWay('http') },
    { code: 'SC_REFLECTION', as: 'DIAL_BAD_HELLO', ...inTheWay('echo') },
    { code: 'SC_EOF_IN_HANDSHAKE', as: 'DIAL_HANDSHAKE', ...inTheWay({ endAfter: HELLO_BYTES }) },
    { code: 'SC_TIMEOUT', as: 'DIAL_HANDSHAKE', ...inTheWay({ holdAfter: HELLO_BYTES }) },
    { code: 'SC_BAD_AUTH', as: 'DIAL_AUTH', ...answering({ name: 'another identity', bare: proveSecp256k1 }) },
    {
      code: 'SC_BAD_FRAME',
      as: 'DIAL_AUTH',
      damage: () => toNode.set({ changeAfter: HELLO_BYTES + 100 }),
      follow: through(() => toNode),
    },
    {
      code: 'DIAL_DROPPED',
      damage: () => toNode.set({ endAfter: HELLO_BYTES + AUTH_FRAME }),
      follow: through(() => toNode),
    },
    { code: 'DIAL_LOST', damage: () => toNode.cut(), follow: () => undefined },
    { code: 'SOCKET_RESET', as: 'DIAL_LOST', damage: () => toNode.reset(), follow: () => undefined },
    {
      code: 'CHANNEL_QUEUE_FULL',
      as: 'DIAL_LOST',
      damage: async () => {
        const { dropped } = at.node;
        toNode.set({ deafAfter: HELLO_BYTES + AUTH_FRAME });
        await eventually('the node has lost its signer', 5_000, () => at.node.dropped > dropped || undefined);
        await at.node.connected(10_000);
        at.node.send(Buffer.concat(Array.from({ length: 20_000 }, () => delimited(ask.PING))));
      },
      follow: through(() => toNode),
    },
    {
      code: 'DIAL_FAILED',
      damage: () => {
        allowFiles(3);
        toNode.cut();
      },
      follow: () => allowFiles(1_024),
    },
    {
      code: 'DIAL_SILENT',
      damage: () => {
        // Another signer that the node serves: this one waits behind it.
        const other = connect(Number(/\d+$/.exec(at.node.address)?.[0]), '127.0.0.1').on('error', () => {});
        cleanup.add(() => other.destroy());
        toNode.set('silent');
      },
      follow: through(() => toNode),
    },
    {
      code: 'PRIVVAL_MALFORMED',
      damage: () => at.node.send(new Uint8Array(100).fill(0xff)),
      follow: () => undefined,
    },
    {
      code: 'PRIVVAL_OVERSIZED',
      ...saying('a message of 100 MB', (channel) => channel.write(varint(100_000_000n))),
    },
    {
      code: 'PRIVVAL_FLOOD',
      ...saying('a thousand votes at once', (channel) => {
        const vote = delimited(ask.signVote(at.vote({ step: 'Precommit', height: 1n })));
        channel.write(Buffer.concat(Array.from({ length: 1_000 }, () => vote)));
      }),
    },
    {
      code: 'PRIVVAL_SLOW',
      ...saying('a byte a second', (channel) => {
        const message = delimited(new Uint8Array(100));
        let sent = 0;
        const timer = setInterval(() => channel.write(message.subarray(sent, ++sent)), 1_000);
        cleanup.add(() => clearInterval(timer));
      }),
    },
    {
      code: 'REQUEST_UNSUPPORTED',
      damage: () => at.node.ask(ask.signBytes(new Uint8Array(32)), 10),
      follow: () => undefined,
    },
    { code: 'DIAL_NO_SOCKET', ...unix, follow: () => mkdirSync(sockets(), { recursive: true }), signs: onSocket },
    {
      code: 'DIAL_NOT_A_SOCKET',
      damage: async () => {
        mkdirSync(join(sockets(), 'n.sock'), { recursive: true });
        await unix.damage();
      },
      follow: () => rmSync(join(sockets(), 'n.sock'), { recursive: true }),
      signs: onSocket,
    },
  ])('$code', follow);
});

describe('between link and cosigner', () => {
  const useIdentityOf = async (cluster: 'hekate' | 'stranger'): Promise<void> => {
    cpSync(at.folder.file(cluster === 'hekate' ? 'own-tls' : 'stranger/sentry-link-1/tls'), join(link().home, 'tls'), {
      recursive: true,
    });
    await restart(link());
  };
  let kept = '';
  /** The same key dealt a second time, of which only one process has got its part. */
  const redealt = (
    threshold: 2 | 3,
    who: () => HekateProcess,
    ...files: readonly string[]
  ): Pick<Row, 'damage' | 'follow'> => {
    const kept = (): string => at.folder.file(`dealt-${threshold}`);
    const copy = (from: string, to: string): void => {
      for (const file of files) cpSync(join(from, 'chains', at.chainId, file), join(to, 'chains', at.chainId, file));
    };
    const put = async (from: string): Promise<void> => {
      await who().stop();
      copy(from, who().home);
      await who().start();
    };
    const damage = async (): Promise<void> => {
      copy(who().home, kept());
      const out = at.folder.file(`redealt-${threshold}`);
      const key = at.folder.file('priv_validator_key.json');
      const of = ['--threshold', String(threshold), '--count', '3', '--chain-id', at.chainId];
      expect(await runHekate(['keys', 'split', '--key', key, ...of, '--out', out])).toMatchObject({ code: 0 });
      await put(join(out, 'cosigner-1'));
      await at.refused({ step: 'Precommit', height: ++height });
    };
    return { damage, follow: () => put(kept()) };
  };
  /** Somebody else runs with the identity of one of the processes. */
  let impostor: { close(): unknown };

  it.each<Row>([
    { code: 'PEER_REFUSED', damage: () => toCosigner.close(), follow: () => toCosigner.listen() },
    { code: 'PEER_DROPPED', damage: () => toCosigner.set('drop'), follow: through(() => toCosigner) },
    { code: 'PEER_NOT_COSIGNER', damage: () => toCosigner.set('http'), follow: through(() => toCosigner) },
    { code: 'PEER_TIMEOUT', damage: () => toCosigner.set('silent'), follow: through(() => toCosigner) },
    { code: 'PEER_CLOSED', damage: () => cosigner(1).stop(), follow: () => cosigner(1).start() },
    {
      code: 'PEER_SILENT',
      damage: () => process.kill(cosigner(1).pid, 'SIGSTOP'),
      follow: () => process.kill(cosigner(1).pid, 'SIGCONT'),
    },
    {
      code: 'PEER_FAILED',
      damage: () => {
        allowFiles(3);
        toCosigner.cut();
      },
      follow: () => allowFiles(1_024),
    },
    {
      code: 'TRANSPORT_MALFORMED',
      damage: async () => {
        await cosigner(1).stop();
        const [self, peer] = [memberOf('cosigner-1', cosigner(1).home), memberOf('sentry-link-1', link().home)];
        const onLink: OnLink = (_link, send) => ({
          start: () => send(heartbeatReply(1)),
          receive: () => undefined,
          close: () => undefined,
        });
        const other = await new TestCosigner(self, { links: [peer], onLink }).start(at.cluster.ports[0]);
        impostor = { close: () => other.stop() };
        cleanup.add(() => other.stop());
      },
      follow: async () => {
        await impostor.close();
        await cosigner(1).start();
      },
    },
    {
      code: 'LINK_QUEUE_FULL',
      said: () => cosigner(1),
      damage: async () => {
        await link().stop();
        const [cert, key] = ['crt', 'key'].map((end) => readFileSync(join(link().home, `tls/identity.${end}`)));
        const options = { cert, key, rejectUnauthorized: false };
        const session = connectHttp2(`https://127.0.0.1:${at.cluster.ports[0]}`, options).on('error', () => {});
        impostor = { close: () => session.destroy() };
        cleanup.add(() => session.destroy());
        const headers = { ':method': 'POST', ':path': LINK_PATH, 'content-type': 'application/grpc', te: 'trailers' };
        const hello = frameLinkMessage({ kind: 'linkHello', ...ownRelease('test'), newest: [] });
        const beats = Array.from({ length: 60_000 }, (_, id) =>
          frameLinkMessage({ kind: 'heartbeat', id, lease: undefined }),
        );
        // Nobody listens to what comes, so nothing of it is read.
        session
          .request(headers)
          .on('error', () => {})
          .write(Buffer.concat([hello, ...beats]));
      },
      follow: async () => {
        impostor.close();
        await link().start();
      },
    },
    { code: 'SIGNERS_INVALID', ...redealt(2, link, 'group.json') },
    {
      code: 'COSIGNER_BAD',
      ...redealt(3, () => cosigner(1), 'group.json', 'share.key'),
      signs: async () => {
        // It is tried again within a minute; a link that is new has nothing against it.
        await restart(link());
        await at.signedAtLast({ step: 'Precommit', height: ++height });
      },
    },
    {
      code: 'TLS_WRONG_ROLE',
      damage: async () => {
        const names = ['sentry-link-1', 'cosigner-2'];
        const { home } = cosigner(1);
        cpSync(home, at.folder.file('kept'), { recursive: true, filter: (file) => !file.endsWith('.sock') });
        const [one = '', two = ''] = names.map((name) => join(home, `tls/peers/${name}.crt`));
        const pins = [one, two].map((file) => pinOf(readFileSync(file)));
        renameSync(one, `${one}.aside`);
        renameSync(two, one);
        renameSync(`${one}.aside`, two);
        edit(join(home, 'cosigner.toml'), new RegExp(pins.join('|'), 'g'), (pin) =>
          must(
            pins.find((other) => other !== pin),
            'the other pin',
          ),
        );
        await restart(cosigner(1));
      },
      follow: async () => {
        for (const path of ['cosigner.toml', 'tls'])
          cpSync(join(at.folder.file('kept'), path), join(cosigner(1).home, path), { recursive: true });
        await restart(cosigner(1));
      },
    },
    {
      code: 'TLS_WRONG_PEER',
      damage: async () => {
        kept = readFileSync(linkToml(), 'utf8');
        const [one, two] = [`127.0.0.1:${toCosigner.port}"`, `127.0.0.1:${at.cluster.ports[1]}"`];
        edit(linkToml(), new RegExp(`${one}|${two}`, 'g'), (found) => (found === one ? two : one));
        await restart(link());
      },
      follow: async () => {
        writeFileSync(linkToml(), kept);
        await restart(link());
      },
    },
    {
      code: 'TLS_REFUSED',
      damage: () => useIdentityOf('stranger'),
      follow: () => useIdentityOf('hekate'),
    },
    {
      code: 'TLS_UNPINNED',
      said: () => cosigner(1),
      damage: async () => {
        await restart(cosigner(1));
        await useIdentityOf('stranger');
      },
      follow: async () => {
        const certificate = join(link().home, 'tls/identity.crt');
        for (const { home } of at.cluster.cosigners) {
          cpSync(certificate, join(home, 'tls/peers/sentry-link-1.crt'));
          const pin = pinOf(readFileSync(certificate));
          edit(join(home, 'cosigner.toml'), /(?<=name = "sentry-link-1"\n.*)sha256:[0-9a-f]{64}/, pin);
        }
        await Promise.all(at.cluster.cosigners.map(restart));
      },
    },
  ])('$code', follow);
});

describe('between request and watermark', () => {
  /** As an operator does it: stop, change, start, one cosigner after the other. */
  const withEach = async (change: (home: string) => unknown): Promise<void> => {
    for (const one of at.cluster.cosigners) await whileStopped(one, () => change(one.home));
  };
  const whileStopped = async (one: HekateProcess, change: () => unknown): Promise<void> => {
    await one.stop();
    await change();
    await one.start();
  };
  const stateInit = async (home: string, to: bigint, ...more: readonly string[]): Promise<void> => {
    const args = ['state', 'init', home, '--chain-id', at.chainId, '--replace', '--height', `${to}`, ...more];
    expect(await runHekate(args)).toMatchObject({ code: 0 });
  };
  const setPace = (from: string, to: string) => (home: string) =>
    edit(join(home, 'cosigner.toml'), `max_heights_per_second = ${from}\n`, `max_heights_per_second = ${to}\n`);
  const farUp = (by: bigint) => () => at.refused({ step: 'Precommit', height: height + by });
  /** A height that a cosigner hears of while it waits after its start, it does not sign: as a node does, the next one is asked. */
  const signedFrom = (by: bigint) => (): Promise<unknown> => {
    height += by;
    return eventually('a height is signed', 15_000, async () => {
      const answer = await at.ask({ step: 'Precommit', height: height++ }).catch(() => undefined);
      return answer?.kind === 'signed' ? answer : undefined;
    });
  };

  it.each<Row>([
    {
      code: 'HEIGHT_JUMP',
      damage: farUp(150_000n),
      follow: () => withEach((home) => stateInit(home, height + 149_999n)),
      signs: signedFrom(150_000n),
    },
    {
      code: 'HEIGHT_PACE',
      damage: async () => {
        await withEach(setPace('0', '0.001'));
        await at.signedAtLast({ step: 'Precommit', height: ++height });
        await farUp(2_000n)();
      },
      follow: () => withEach(setPace('0.001', '0')),
      signs: signedFrom(2_000n),
    },
    {
      code: 'WATERMARK_AHEAD',
      damage: () => whileStopped(cosigner(1), () => stateInit(cosigner(1).home, height + 5_000n)),
      follow: () =>
        whileStopped(cosigner(1), () => stateInit(cosigner(1).home, height, '--i-accept-that-this-can-double-sign')),
      signs: signedFrom(1n),
    },
    {
      code: 'LINK_SILENT',
      said: () => cosigner(1),
      damage: () => process.kill(link().pid, 'SIGSTOP'),
      follow: () => process.kill(link().pid, 'SIGCONT'),
    },
  ])('$code', follow);
});
