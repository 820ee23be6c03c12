import { afterEach, beforeAll, expect, it } from 'vitest';
import { makeNextIdentity } from '../../src/setup/identity/make-identity.js';
import { pinOf } from '../../src/shared/transport/identity.js';
import { member, TestCosigner, TestLink, type Member } from './stream-fixture.js';

type Shown = 'old' | 'next' | 'later';

let cosigner: Record<Shown, Member>;
let link: Record<Shown, Member>;
const taken: { stop(): Promise<void> }[] = [];

async function rotated(name: string): Promise<Record<Shown, Member>> {
  const next = async (): Promise<Member> => {
    const identity = await makeNextIdentity(name);
    return { name, identity, certPem: identity.certPem, pin: pinOf(identity.certPem) };
  };
  return { old: await member(name), next: await next(), later: await next() };
}

beforeAll(async () => {
  [cosigner, link] = [await rotated('cosigner-1'), await rotated('sentry-link-1')];
});
afterEach(async () => {
  for (const part of taken.splice(0).reverse()) await part.stop();
});

async function start(shown: { cosigner: Shown; link: Shown }): Promise<{ server: TestCosigner; client: TestLink }> {
  const server = await new TestCosigner(cosigner[shown.cosigner], { links: [link.old, link.next] }).start();
  taken.push(server);
  const client = new TestLink(link[shown.link], cosigner.old, server.port, { otherPeers: [cosigner.next] });
  taken.push({ stop: () => client.client.close() });
  return { server, client };
}

it.each<[cosigner: Shown, link: Shown, event: string]>([
  ['old', 'old', 'connected 1'],
  ['next', 'old', 'connected 1'],
  ['old', 'next', 'connected 1'],
  ['next', 'next', 'connected 1'],
  ['later', 'old', 'failed TLS_WRONG_PEER'],
  ['old', 'later', 'failed TLS_REFUSED'],
])(
  'each knows two of the other; the cosigner shows its %s one, the link its %s one',
  async (ofCosigner, ofLink, event) => {
    const { client } = await start({ cosigner: ofCosigner, link: ofLink });
    expect(await client.event(event.split(' ')[0] ?? '')).toBe(event);
  },
);

it('a link that comes with its next identity is the same link: its earlier stream ends', async () => {
  const { server, client } = await start({ cosigner: 'old', link: 'old' });
  await client.event('connected');
  const next = new TestLink(link.next, cosigner.old, server.port);
  taken.push({ stop: () => next.client.close() });
  await next.event('connected');
  expect(server.links.map(({ name, closed }) => [name, closed])).toEqual([
    ['sentry-link-1', 'LINK_REPLACED'],
    ['sentry-link-1', undefined],
  ]);
});
