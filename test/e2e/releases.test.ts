import { Client, credentials, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { readStatus } from '../../src/shared/status/ask-process.js';
import type { CosignerStatus, LinkStatus } from '../../src/shared/status/process-status.js';
import { LINK_PATH } from '../../src/shared/transport/contract.js';
import { VERSION } from '../../src/shared/version.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { LogEvent } from '../support/log-events.js';
import { runHekate } from '../support/run-hekate.js';
import { memberOf, TestCosigner } from '../transport/stream-fixture.js';

// Processes of releases that meet: one that is too old is told so and not signed with; what a newer one says is passed over.
const cleanup = cleanupAfterEach();
const same = (bytes: Buffer): Buffer => bytes;

/** LinkMessage{link_hello: LinkHello{version: "0.1.0"}}, as the first release sent it. */
const OLD_HELLO = Buffer.from([0x0a, 7, 0x0a, 5, ...Buffer.from('0.1.0')]);
/** The same with protocol 3 and features ["new"]. */
const NEWER_HELLO = Buffer.from([0x0a, 14, 0x0a, 5, ...Buffer.from('9.0.0'), 0x18, 3, 0x22, 3, ...Buffer.from('new')]);
/** A kind of message that is not in this version: field 99. */
const UNKNOWN_KIND = Buffer.from([0x9a, 0x06, 3, 1, 2, 3]);

interface RawLink {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly ended: Promise<Pick<ServiceError, 'code' | 'details'>>;
}

/** A link's end of the stream, which sends what the test says. */
function rawLink(link: string, cosigner: string, port: number): RawLink {
  const read = (home: string, name: string): Buffer => readFileSync(join(home, 'tls', name));
  const context = createSecureContext({
    cert: read(link, 'identity.crt'),
    key: read(link, 'identity.key'),
    ca: [read(cosigner, 'identity.crt')],
  });
  const channel = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
  const client = new Client(`127.0.0.1:${port}`, channel, { 'grpc.use_local_subchannel_pool': 1 });
  cleanup.add(() => client.close());
  const call = client.makeBidiStreamRequest(LINK_PATH, same, same);
  call.resume();
  return { call, ended: new Promise((resolve) => call.once('error', (error) => resolve(error as ServiceError))) };
}

it('links of an older and a newer release at a cosigner', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'releases', links: 2 });
  const [cosigner] = at.cluster.cosigners;
  const [first, second] = at.cluster.links;
  await second?.crash();
  const dial = (): RawLink => rawLink(second?.home ?? '', cosigner?.home ?? '', at.cluster.ports[0] ?? 0);
  const told = async (): Promise<CosignerStatus['peers']> =>
    ((await readStatus(cosigner?.home ?? '')) as CosignerStatus).peers;
  const tooOld = (): LogEvent[] => (cosigner?.events() ?? []).filter(({ code }) => code === 'PROTOCOL_OLD');

  for (let times = 0; times < 3; times++) {
    const old = dial();
    old.call.write(OLD_HELLO);
    expect(await old.ended).toMatchObject({ code: status.ABORTED, details: 'PROTOCOL_OLD' });
  }
  const peer = { name: 'sentry-link-2', connected: false, features: [], passedOver: 0 };
  expect(await told()).toContainEqual({ ...peer, version: '0.1.0', protocol: 0 });
  expect(await told()).toContainEqual({
    ...{ ...peer, name: 'sentry-link-1', connected: true },
    ...{ version: VERSION, protocol: 2 },
  });
  const error = {
    event: 'sentry-link runs a release that is too old',
    link: 'sentry-link-2',
    reason: 'sentry-link-2 runs hekate 0.1.0, an older release, which does not say its protocol; 2 is the oldest here',
    fix: 'upgrade sentry-link-2 to the release that the others run, and start it again',
  };
  expect(tooOld().filter(({ level }) => level === 'error')).toMatchObject([error]);
  const text = await runHekate(['status', cosigner?.home ?? '']);
  expect(text.stdout).toContain('sentry-link-2: not connected (PROTOCOL_OLD: upgrade sentry-link-2 to the release');
  expect(text.stdout).toContain('version 0.1.0, no protocol said');
  await at.signedAtLast({ step: 'Prevote', height: 1n });

  const newer = dial();
  newer.call.write(NEWER_HELLO);
  for (let times = 0; times < 1_000; times++) newer.call.write(UNKNOWN_KIND);
  const counted = { ...peer, connected: true, version: '9.0.0', protocol: 3, features: ['new'], passedOver: 1_000 };
  await eventually('all are counted', 10_000, async () => (await told()).find((one) => one.passedOver === 1_000));
  expect(await told()).toContainEqual(counted);
  const lines = (cosigner?.events() ?? []).filter(({ event }) => event.startsWith('peer sends what this version'));
  expect(lines).toMatchObject([{ peer: 'sentry-link-2', count: 1 }]);
  await at.signed({ step: 'Prevote', height: 2n });
  newer.call.write(Buffer.from('not a message'));
  expect(await newer.ended).toMatchObject({ code: status.ABORTED, details: 'TRANSPORT_MALFORMED' });
  await at.signed({ step: 'Prevote', height: 3n });
  expect(first?.events().map(({ code }) => code)).not.toContain('PROTOCOL_OLD');
});

it('a cosigner of an older release: it is named, and not signed with', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'old-cosigner', links: 1 });
  const { cosigners, links, ports } = at.cluster;
  const [link] = links;
  const [third] = cosigners.slice(2);
  await third?.crash();
  const old = new TestCosigner(memberOf('cosigner-3', third?.home), {
    links: [memberOf('sentry-link-1', link?.home)],
    onLink: (_link, send) => ({
      start: () => send({ kind: 'cosignerHello', version: '0.1.0', protocol: 0, features: [], id: 3, chains: [] }),
      receive: () => undefined,
      close: () => undefined,
    }),
  });
  await old.start(ports[2]);
  cleanup.add(() => old.stop());
  const heard = await eventually('the link meets it', 15_000, async () =>
    ((await readStatus(link?.home ?? '')) as LinkStatus).cosigners.find(({ problem }) => problem === 'PROTOCOL_OLD'),
  );
  expect(heard).toMatchObject({ id: 3, connected: false, version: '0.1.0', protocol: 0, features: [] });
  for (let height = 1n; height < 20n; height++) await at.signedAtLast({ step: 'Prevote', height });
  const lines = (link?.events() ?? []).filter(({ code }) => code === 'PROTOCOL_OLD');
  expect(lines).toMatchObject([
    {
      cosigner: 'cosigner-3',
      reason: 'cosigner-3 runs hekate 0.1.0, an older release, which does not say its protocol; 2 is the oldest here',
    },
  ]);
  const text = await runHekate(['status', link?.home ?? '']);
  expect(text.stdout).toContain('cosigner 3: not connected (PROTOCOL_OLD), version 0.1.0, no protocol said');
  await old.stop();
  await third?.start();
  await eventually('the upgraded one is used', 15_000, async () =>
    ((await readStatus(link?.home ?? '')) as LinkStatus).cosigners.find((one) => one.id === 3 && one.connected),
  );
});
