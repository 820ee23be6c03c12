import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { runHekate } from '../support/run-hekate.js';

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

/** No run-time folder: every cosigner that is started waits for signed answers of the others. */
async function start(name: string): Promise<{ at: AskedCluster; votes: Votes }> {
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

async function restart({ cluster }: AskedCluster, process: HekateProcess): Promise<void> {
  await process.stop();
  await process.start();
  await cluster.untilNoneWaits();
  await cluster.leader();
}

/** All of it signs with this cosigner: one of the others is away. */
async function signsWith({ cluster }: AskedCluster, cosigner: HekateProcess, votes: Votes): Promise<void> {
  const other = cluster.cosigners.findLast((one) => one !== cosigner)!;
  await other.stop();
  await votes.more(5n);
  await other.start();
  await cluster.untilNoneWaits();
}

async function rotate(at: AskedCluster, who: HekateProcess, peers: readonly HekateProcess[]): Promise<void> {
  const { pin, certificate } = JSON.parse(await run('identity', 'new', '--home', who.home, '--json')) as {
    pin: string;
    certificate: string;
  };
  for (const peer of peers) {
    await run('identity', 'pin', '--home', peer.home, certificate, '--expect', pin);
    await restart(at, peer);
  }
  await run('identity', 'switch', '--home', who.home);
  await restart(at, who);
}

async function forget(at: AskedCluster, who: HekateProcess, peers: readonly HekateProcess[]): Promise<void> {
  for (const peer of peers) {
    await run('identity', 'drop', '--home', peer.home, '--name', who.name);
    await restart(at, peer);
  }
  await run('identity', 'drop', '--home', who.home);
}

it('a cosigner and a link get new identities, old and new side by side', async () => {
  const { at, votes } = await start('rotate');
  const { cosigners, links, folder } = at.cluster;
  const [cosigner, link] = [cosigners[0]!, links[0]!];
  await votes.more(5n);
  const others = [...cosigners.slice(1), ...links];
  await rotate(at, cosigner, others);
  // Who waits hears it, and it hears them, whichever of the two it signs with.
  await restart(at, cosigners[1]!);
  await signsWith(at, cosigner, votes);
  await forget(at, cosigner, others);
  await signsWith(at, cosigner, votes);
  await rotate(at, link, cosigners);
  await links[1]!.stop();
  await votes.more(5n);
  await links[1]!.start();
  await forget(at, link, cosigners);
  await votes.more(5n);
  await votes.stop();
  expect(votes.missed).toEqual([]);
  expect(await run('keys', 'verify', join(folder))).not.toContain('BAD');
});
