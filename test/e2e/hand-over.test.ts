import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { eventually } from '../support/eventually.js';
import { runHekate, type HekateRun } from '../support/run-hekate.js';

const cleanup = cleanupAfterEach();

/** A cluster whose leader knows that all other links are ready. */
async function ready(name: string, links: number): Promise<AskedCluster> {
  const at = await AskedCluster.start(cleanup, { name, links });
  await at.signed({ step: 'Prevote', height: 1n });
  await standbys(await at.cluster.leader(), links - 1);
  return at;
}

function standbys(leader: HekateProcess, count: number): Promise<readonly string[]> {
  return eventually('the others are ready', 10_000, async () => {
    const [shown] = await shownBy(leader.home);
    return shown?.standbys.length === count ? shown.standbys : undefined;
  });
}

interface Shown {
  readonly name: string;
  readonly leader: string | null;
  readonly standbys: readonly string[];
}

async function shownBy(home: string): Promise<readonly Shown[]> {
  return JSON.parse((await runHekate(['leader', 'show', home, '--json'])).stdout) as readonly Shown[];
}

const transfer = (...args: readonly string[]): Promise<HekateRun> => runHekate(['leader', 'transfer', ...args]);

const reasons = (link: HekateProcess): readonly unknown[] =>
  link.events().flatMap(({ event, ...fields }) => (event === 'lease lost' ? [fields['reason']] : []));

describe('a leader that is told to end', () => {
  it('answers the vote that it has begun, and hands over to one that is ready', async () => {
    const at = await ready('end-leader', 3);
    const leader = await at.cluster.leader();
    const [first, second, third] = at.cluster.cosigners.map(({ pid }) => pid);
    for (const pid of [first, second, third]) process.kill(pid!, 'SIGSTOP');
    const vote = at.ask({ step: 'Prevote', height: 2n });
    await delay(100);
    const stopped = leader.stop();
    await delay(100);
    for (const pid of [first, second, third]) process.kill(pid!, 'SIGCONT');
    expect(await vote).toMatchObject({ kind: 'signed' });
    expect(await stopped).toBe(0);
    const next = await at.cluster.leader();
    expect(reasons(leader)).toEqual([`stopped; handed over to ${next.name}`]);
    await at.signedAtLast({ step: 'Prevote', height: 3n });
    expect(reasons(next)).toEqual([]);
  });

  it('one link alone just ends, and leads again when it is there again', async () => {
    const at = await AskedCluster.start(cleanup, { name: 'end-alone', links: 1 });
    await at.signed({ step: 'Prevote', height: 1n });
    const [link] = at.cluster.links;
    expect(await link!.stop()).toBe(0);
    expect(reasons(link!)).toEqual(['stopped']);
    await link!.start();
    await at.signedAtLast({ step: 'Prevote', height: 2n });
  });
});

describe('hekate leader', () => {
  it('shows who leads and who is ready, and hands over to and fro; nothing is lost by what it refuses', async () => {
    const at = await ready('transfer', 3);
    const leader = await at.cluster.leader();
    const [one, two] = at.cluster.links.filter((link) => link !== leader) as [HekateProcess, HekateProcess];
    const folder = at.cluster.folder;

    const refusals: readonly (readonly [what: string, args: readonly string[], code: RegExp])[] = [
      ['unknown', [leader.home, '--to', 'nobody'], /^LINK_NOT_READY: no sentry-link named nobody is ready/],
      ['itself', [leader.home, '--to', leader.name], /^LINK_NOT_READY: .* is the one that leads/],
      ['elsewhere', [one.home], new RegExp(`^NOT_LEADER: ${one.name} does not lead, ${leader.name} does`)],
      ['a cosigner', [at.cluster.cosigners[0]!.home], /^NOT_RUNNING: no sentry-link runs/],
      ['no home', [at.folder.file('nothing')], /^NO_HOME: /],
    ];
    for (const [what, args, code] of refusals) {
      const run = await transfer(...args);
      expect(run.stderr, what).toMatch(code);
      expect(run.code, what).not.toBe(0);
    }
    expect(reasons(leader)).toEqual([]);

    expect(await transfer(folder, '--to', two.name)).toMatchObject({
      code: 0,
      stdout: `${two.name} leads now; ${leader.name} stands by\n`,
    });
    expect(reasons(leader)).toEqual([`handed over to ${two.name}`]);
    await at.signedAtLast({ step: 'Prevote', height: 2n });
    expect(await standbys(two, 2)).toEqual([leader.name, one.name].sort());

    const back = await transfer(two.home, '--json');
    expect(JSON.parse(back.stdout)).toEqual({ from: two.name, to: [leader.name, one.name].sort()[0] });
    await at.signedAtLast({ step: 'Prevote', height: 3n });
    const shown = await shownBy(folder);
    expect(new Set(shown.map((each) => each.leader)).size).toBe(1);
  });

  it('without another link there is nobody to hand over to, and it goes on', async () => {
    const at = await AskedCluster.start(cleanup, { name: 'transfer-alone', links: 1 });
    await at.signed({ step: 'Prevote', height: 1n });
    const [link] = at.cluster.links;
    expect((await transfer(link!.home)).stderr).toMatch(/^LINK_NOT_READY: there is none to hand over to/);
    await at.signed({ step: 'Prevote', height: 2n });
    expect(reasons(link!)).toEqual([]);
  });
});
