import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { must } from '../../src/shared/invariant.js';
import { pinOf } from '../../src/shared/transport/identity.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode } from '../support/asking-node.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { Middle } from '../support/middle.js';
import { runHekate } from '../support/run-hekate.js';

// docs/errors.md: something breaks between running processes, its code is logged with a fix, and who follows that fix has a
// cluster that signs again. What keeps a process from starting is in bad-start.test.ts.

const cleanup = cleanupAfterAll();
/** Bytes of a node's hello, and of the sealed frame with which it proves who it is. */
const HELLO = 35;
const AUTH_FRAME = 1044;

let at: AskedCluster;
/** What the link dials as the node, and as cosigner 1. Both cosigners are needed for a signature. */
let toNode: Middle;
let toCosigner: Middle;
let height = 0n;
let seen = 0;

const link = (): HekateProcess => must(at.cluster.links[0], 'a link');
const cosigner = (id: 1 | 2): HekateProcess => must(at.cluster.cosigners[id - 1], 'a cosigner');
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

interface Row {
  readonly code: ErrorCode;
  /** Who says it: the link, if nobody else is named. */
  readonly said?: () => HekateProcess;
  readonly damage: () => unknown;
  readonly follow: () => unknown;
  /** Default: the node that always is there has a vote signed. */
  readonly signs?: () => Promise<unknown>;
}

beforeAll(async () => {
  at = await AskedCluster.start(cleanup, {
    ...{ name: 'fixes', cosigners: 2, threshold: 2, links: 1 },
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

async function follow({ code, said = link, damage, follow, signs }: Row): Promise<void> {
  seen = said().events().length;
  await damage();
  const event = await eventually(`${said().name} says ${code}`, 20_000, () =>
    said()
      .events()
      .slice(seen)
      .find((one) => one['code'] === code),
  );
  expect(event['fix']).toBeTypeOf('string');
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
    { code: 'DIAL_EOF_BEFORE_HELLO', damage: () => toNode.set('drop'), follow: through(() => toNode) },
    { code: 'DIAL_BAD_HELLO', damage: () => toNode.set('http'), follow: through(() => toNode) },
    { code: 'DIAL_HANDSHAKE', damage: () => toNode.set({ endAfter: HELLO }), follow: through(() => toNode) },
    { code: 'DIAL_AUTH', damage: () => toNode.set({ changeAfter: HELLO + 100 }), follow: through(() => toNode) },
    {
      code: 'DIAL_DROPPED',
      damage: () => toNode.set({ endAfter: HELLO + AUTH_FRAME }),
      follow: through(() => toNode),
    },
    { code: 'DIAL_LOST', damage: () => toNode.cut(), follow: () => undefined },
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
  const signedFarUp = (by: bigint) => () => at.signedAtLast({ step: 'Precommit', height: (height += by) });

  it.each<Row>([
    {
      code: 'HEIGHT_JUMP',
      damage: farUp(150_000n),
      follow: () => withEach((home) => stateInit(home, height + 149_999n)),
      signs: signedFarUp(150_000n),
    },
    {
      code: 'HEIGHT_PACE',
      damage: async () => {
        await withEach(setPace('0', '0.001'));
        await at.signedAtLast({ step: 'Precommit', height: ++height });
        await farUp(2_000n)();
      },
      follow: () => withEach(setPace('0.001', '0')),
      signs: signedFarUp(2_000n),
    },
    {
      code: 'WATERMARK_AHEAD',
      damage: () => whileStopped(cosigner(1), () => stateInit(cosigner(1).home, height + 5_000n)),
      follow: () =>
        whileStopped(cosigner(1), () => stateInit(cosigner(1).home, height, '--i-accept-that-this-can-double-sign')),
    },
    {
      code: 'LINK_SILENT',
      said: () => cosigner(1),
      damage: () => process.kill(link().pid, 'SIGSTOP'),
      follow: () => process.kill(link().pid, 'SIGCONT'),
    },
  ])('$code', follow);
});
