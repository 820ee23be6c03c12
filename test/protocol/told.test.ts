import { expect, it } from 'vitest';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import type { LogFields } from '../../src/shared/ports/log.js';
import { Cluster } from './cluster.js';
import { vote } from './votes.js';

/** What each link has told of quorum, leader and watermarks, without what the first start said. */
function toldBy(cluster: Cluster, from: number): string[] {
  const events = /quorum|standing by|leads|cannot sign|can sign/;
  return cluster.events
    .slice(from)
    .filter(({ event, fields }) => events.test(event) && fields['link'] !== undefined)
    .map(({ event, fields }) => line(event, fields));
}

function line(event: string, { link, leader, cosigner, reason }: LogFields): string {
  const rest = [leader, cosigner, reason].filter((field) => field !== undefined).map(String);
  return [`${String(link)}: ${event}`, ...rest].join('; ');
}

it('a standby names the leader, and the next one', async () => {
  const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b', 'c'] });
  expect(toldBy(cluster, 0).filter((told) => told.includes('standing by'))).toEqual([
    'b: standing by; a',
    'c: standing by; a',
  ]);
  expect(cluster.link('c').situation()).toMatchObject({ term: undefined, leader: { name: 'a' } });
  const from = cluster.events.length;
  cluster.killLink('a');
  await cluster.clock.pass(5_000);
  const [leader] = cluster.logged('lease acquired').slice(1);
  const other = leader?.['link'] === 'b' ? 'c' : 'b';
  const standing = toldBy(cluster, from).filter((told) => told.includes('standing by'));
  expect(standing).toEqual([`${other}: standing by; ${String(leader?.['link'])}`]);
});

it('the quorum is lost and comes back: a line each, whatever happens between', async () => {
  const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a'] });
  const from = cluster.events.length;
  cluster.killCosigner(2);
  cluster.killCosigner(3);
  await cluster.clock.pass(20_000);
  await cluster.startCosigner(2);
  await cluster.clock.pass(5_000);
  await cluster.startCosigner(3);
  await cluster.clock.pass(60_000);
  expect(toldBy(cluster, from)).toEqual([
    'a: quorum lost; no quorum: 1 of 3 cosigners within reach, 2 needed: cosigner-2 PEER_REFUSED, cosigner-3 PEER_DROPPED',
    'a: quorum is back; 2 of 3 cosigners can sign, 2 needed: cosigner-3 PEER_REFUSED',
  ]);
});

it('a watermark that is far above what the node asks for is told', async () => {
  const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a'] });
  await cluster.ask('a', vote({ at: [100, 0, 3] }));
  const from = cluster.events.length;
  const farUp = (message: CosignerMessage): CosignerMessage =>
    message.kind === 'heartbeatReply'
      ? { ...message, chains: message.chains.map((chain) => ({ ...chain, height: 9_000n })) }
      : message;
  cluster.wire('a', 3).tamper = farUp;
  await cluster.clock.pass(10_000);
  expect(cluster.link('a').situation().chains).toMatchObject([{ unable: [{ cosigner: 3, code: 'WATERMARK_AHEAD' }] }]);
  cluster.wire('a', 3).tamper = (message) => message;
  await cluster.clock.pass(10_000);
  expect(toldBy(cluster, from)).toEqual([
    expect.stringMatching(/^a: cosigner cannot sign; cosigner-3; its watermark, .* is 8900 heights above height 100/),
    'a: cosigner can sign again; cosigner-3',
  ]);
});
