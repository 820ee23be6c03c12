import { verify } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode } from '../support/asking-node.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateProcess } from '../support/hekate-cluster.js';
import { freePorts } from '../support/ports.js';
import type { TestFolder } from '../support/project.js';
import { ed25519PublicKey } from '../support/public-key.js';
import { runHekate } from '../support/run-hekate.js';
import { writeValidatorKey } from '../support/validator-key.js';
import { voteSignBytes, type TestVote } from '../support/vote-bytes.js';

// docs/identities.md with real processes: votes are asked for all the time, and none is missed.

const cleanup = cleanupAfterEach();
/** A node gives a request up after 5 s. */
const VOTE_MS = 5_000;

class Votes {
  readonly missed: string[] = [];
  #height = 0n;
  #asking = true;
  readonly #done: Promise<void>;

  constructor(at: AskedCluster) {
    this.#done = this.#ask(at);
  }

  async #ask(at: AskedCluster): Promise<void> {
    while (this.#asking) {
      const ballot = { step: 'Prevote', height: ++this.#height } as const;
      await at.signedAtLast(ballot, VOTE_MS).catch((error: unknown) => this.missed.push(String(error)));
    }
  }

  /** So many more have been signed. */
  async more(count: bigint): Promise<void> {
    const to = this.#height + count;
    await eventually(`height ${to} is signed`, 60_000, () => (this.#height > to ? true : undefined));
  }

  async stop(): Promise<void> {
    this.#asking = false;
    await this.#done;
  }
}

interface Voted {
  readonly at: AskedCluster;
  readonly votes: Votes;
}

/** No run-time folder: every cosigner that is started waits for signed answers of the others. */
async function start(name: string): Promise<Voted> {
  const env = (): Record<string, string> => ({ RUNTIME_DIRECTORY: '/nowhere' });
  const at = await AskedCluster.start(cleanup, { name, env });
  const votes = new Votes(at);
  cleanup.add(() => votes.stop());
  return { at, votes };
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHekate(args);
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout;
}

/**
 * And waits until a vote was signed since: what a cosigner has heard of another one is a place, not a block, so that it signs
 * above it.
 */
async function restart(voted: Voted, process: HekateProcess): Promise<void> {
  await process.stop();
  await process.start();
  await signsAgain(voted, process);
}

/** For the chain of the votes: one that is new waits until others have it too. */
async function signsAgain({ at, votes }: Voted, process: HekateProcess): Promise<void> {
  await eventually(`${process.name} waits no longer`, 30_000, () => {
    const last = process.events().findLast(({ event, chain }) => chain === at.chainId && /^waits /.test(event));
    return last?.event === 'waits until it has heard the others' ? undefined : true;
  });
  await votes.more(1n);
}

/** All of it signs with this cosigner: one of the others is away. */
async function signsWith(voted: Voted, cosigner: HekateProcess): Promise<void> {
  const { at, votes } = voted;
  const other = at.cluster.cosigners.findLast((one) => one !== cosigner)!;
  await other.stop();
  await votes.more(5n);
  await other.start();
  await signsAgain(voted, other);
}

async function rotate(voted: Voted, who: HekateProcess, peers: readonly HekateProcess[]): Promise<void> {
  const { pin, certificate } = JSON.parse(await run('identity', 'new', '--home', who.home, '--json')) as {
    pin: string;
    certificate: string;
  };
  for (const peer of peers) {
    await run('identity', 'pin', '--home', peer.home, certificate, '--expect', pin);
    await restart(voted, peer);
  }
  await run('identity', 'switch', '--home', who.home);
  await restart(voted, who);
}

async function forget(voted: Voted, who: HekateProcess, peers: readonly HekateProcess[]): Promise<void> {
  for (const peer of peers) {
    await run('identity', 'drop', '--home', peer.home, '--name', who.name);
    await restart(voted, peer);
  }
  await run('identity', 'drop', '--home', who.home);
}

it('a cosigner and a link get new identities, old and new side by side', async () => {
  const voted = await start('rotate');
  const { at, votes } = voted;
  const { cosigners, links, folder } = at.cluster;
  const [cosigner, link] = [cosigners[0]!, links[0]!];
  await votes.more(5n);
  const others = [...cosigners.slice(1), ...links];
  await rotate(voted, cosigner, others);
  // Who waits hears it, and it hears them, whichever of the two it signs with.
  await restart(voted, cosigners[1]!);
  await signsWith(voted, cosigner);
  await forget(voted, cosigner, others);
  await signsWith(voted, cosigner);
  await rotate(voted, link, cosigners);
  await links[1]!.stop();
  await votes.more(5n);
  await links[1]!.start();
  await forget(voted, link, cosigners);
  await votes.more(5n);
  await votes.stop();
  expect(votes.missed).toEqual([]);
  expect(await run('keys', 'verify', join(folder))).not.toContain('BAD');
});

it('a third link comes, the first goes', async () => {
  const voted = await start('links');
  const { at, votes } = voted;
  const { cosigners, links, folder } = at.cluster;
  await votes.more(5n);
  const third = new HekateProcess('sentry-link-3', 'sentry-link', folder);
  cleanup.add(async () => void (await third.stop()));
  const [first, second] = [links[0]!, links[1]!];
  const from = ['--from', first.home, '--name', third.name, '--json'];
  const made = JSON.parse(await run('sentry-link', 'add', '--home', third.home, ...from)) as Record<string, string>;
  for (const { home } of cosigners)
    await run(
      ...['sentry-link', 'add', '--home', home, '--certificate', made['certificate']!, '--expect', made['pin']!],
    );
  await third.start();
  for (const cosigner of cosigners) await restart(voted, cosigner);
  await first.stop();
  for (const { home } of cosigners) await run('sentry-link', 'remove', '--home', home, first.name);
  for (const cosigner of cosigners) await restart(voted, cosigner);
  await votes.more(5n);
  await eventually('the third one is ready', 10_000, async () => {
    const [shown] = JSON.parse(await run('leader', 'show', second.home, '--json')) as { standbys: string[] }[];
    return shown?.standbys.includes(third.name);
  });
  await second.stop();
  await votes.more(5n);
  await votes.stop();
  expect(votes.missed).toEqual([]);
  await first.start();
  await eventually('the first one is refused', 10_000, () => first.events().find(({ code }) => code === 'TLS_REFUSED'));
});

it('a chain is added home by home, each cosigner with its own share, and is signed for', async () => {
  const voted = await start('chain');
  const { at, votes } = voted;
  const { cosigners, links, processes } = at.cluster;
  await votes.more(5n);
  const node = await AskingNode.listen('tcp', 'other-1');
  cleanup.add(() => node.close());
  const { keyFile, publicKey } = writeValidatorKey(mkdirIn(at.folder, 'other'));
  const shape = ['--threshold', '2', '--count', '3', '--chain-id', 'other-1'];
  await run('keys', 'split', '--key', keyFile, ...shape, '--out', at.folder.file('dealt'));
  const dealt = (name: string, file: string): string => at.folder.file('dealt', name, 'chains', 'other-1', file);
  const group = ['--group', dealt('cosigner-1', 'group.json')];
  for (const { home, name } of cosigners)
    await run('chain', 'add', '--home', home, ...group, '--share', dealt(name, 'share.key'), '--height', '99');
  for (const { home } of links) await run('chain', 'add', '--home', home, ...group, '--node', node.address);
  for (const process of processes) await restart(voted, process);
  await node.connected(20_000);
  const vote = (height: bigint): TestVote => at.vote({ step: 'Prevote', height, chainId: 'other-1' });
  const answer = await eventually('the new chain is signed for', 20_000, async () => {
    const said = await node.vote(vote(100n));
    return said.kind === 'signed' ? said : undefined;
  });
  const signBytes = voteSignBytes({ ...vote(100n), timestamp: answer.timestamp });
  expect(verify(null, signBytes, ed25519PublicKey(publicKey), answer.signature)).toBe(true);
  expect(await node.vote(vote(99n))).toMatchObject({ kind: 'refused' });
  await votes.more(5n);
  await votes.stop();
  expect(votes.missed).toEqual([]);
});

it('a cosigner goes to another address, and then to another host, its share with it and its state not', async () => {
  const voted = await start('move');
  const { at, votes } = voted;
  const { cosigners, links } = at.cluster;
  const [cosigner, other] = [cosigners[0]!, cosigners[1]!];
  const ports = await freePorts(2);
  const [near, far] = ports.map((port) => `127.0.0.1:${port}`) as [string, string];
  await votes.more(5n);
  await run('cosigner', 'move', '--home', other.home, '--to', near);
  for (const { home } of links) await run('cosigner', 'move', '--home', home, '--id', '2', '--to', near);
  // No link finds it until that one was restarted too.
  await other.stop();
  await other.start();
  for (const link of links) await restart(voted, link);
  await signsAgain(voted, other);
  await signsWith(voted, other);

  await cosigner.stop();
  const out = at.folder.file('other-host', cosigner.name);
  const moved = JSON.parse(
    await run('cosigner', 'move', '--home', cosigner.home, '--to', far, '--out', out, '--json'),
  ) as { starts: string[] };
  // Nothing starts where it was.
  expect((await runHekate(['cosigner', 'start', '--home', cosigner.home])).stderr).toMatch(/^NO_HOME/);
  for (const start of moved.starts) await run(...start.replace(cosigner.name, out).split(' ').slice(1));
  for (const { home } of links) await run('cosigner', 'move', '--home', home, '--id', '1', '--to', far);
  const there = new HekateProcess(cosigner.name, 'cosigner', at.folder.file('other-host'));
  cleanup.add(async () => void (await there.stop()));
  await there.start();
  for (const link of links) await restart(voted, link);
  await signsAgain(voted, there);
  await cosigners[2]!.stop();
  await votes.more(5n);
  await votes.stop();
  expect(votes.missed).toEqual([]);
});

function mkdirIn(folder: TestFolder, name: string): string {
  mkdirSync(folder.file(name));
  return folder.file(name);
}
