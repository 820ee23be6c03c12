import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { socketChannel } from '../../src/shared/ports/socket-channel.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { secureChannel } from '../../src/shared/secret-connection/secure-channel.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/ports.js';
import { signHonestly, TEST_PUBLIC_KEY, TestSigner, type Respond } from '../support/test-signer.js';
import { PrivvalTap } from './privval-tap.js';
import { SignatureBook } from './signature-book.js';
import { TrafficNode } from './traffic-node.js';

// The harness against a signer without any protection: what it must see, it does see.
const cleanup = cleanupAfterEach();

async function signer(port: number, respond: Respond): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  cleanup.add(() => socket.destroy());
  const identity = identityFromSeed(systemRandom(32));
  const raw = socketChannel(socket, { transport: 'tcp' });
  const channel = await secureChannel(raw, { identity, clock: systemClock, random: systemRandom });
  new TestSigner(channel, respond).start();
  return socket;
}

async function node(book: SignatureBook): Promise<TrafficNode> {
  const [port = 0] = await freePorts(1);
  const made = await TrafficNode.create('traffic-1', TEST_PUBLIC_KEY, book, port);
  cleanup.add(() => made.crash());
  return made;
}

it('a signer that signs everything: its votes are counted, and the second block that it signs is a double', async () => {
  const book = new SignatureBook(2);
  const asking = await node(book);
  await signer(asking.port, signHonestly);
  await asking.signsOn(6, 10_000);
  const { asked, signed, missed } = asking.tally.counts(performance.now());
  expect(signed).toBeGreaterThanOrEqual(6);
  expect(asked).toBeGreaterThanOrEqual(signed);
  expect(missed).toBe(0);
  expect(book.doubles()).toEqual([]);
  await asking.tempt();
  expect(book.doubles()).toHaveLength(1);
});

it('a signer that refuses every precommit: each of them is missed', async () => {
  const asking = await node(new SignatureBook(2));
  await signer(asking.port, (request) =>
    request.kind === 'signVote' && request.vote.type === 2
      ? { kind: 'refused', of: 'signVote', error: { code: 0, description: 'no' } }
      : signHonestly(request),
  );
  const counts = await eventually('some are missed', 10_000, () => {
    const now = asking.tally.counts(performance.now());
    return now.missed >= 3 ? now : undefined;
  });
  expect(counts.signed).toBeGreaterThanOrEqual(2 * counts.missed);
});

it('a signer that comes back: what was asked is asked again, and signed, and nothing is missed', async () => {
  const asking = await node(new SignatureBook(2));
  const first = await signer(asking.port, (request) => (request.kind === 'pubKey' ? signHonestly(request) : undefined));
  await eventually('a request is on its way', 10_000, () =>
    asking.tally.counts(Infinity).missed > 0 ? true : undefined,
  );
  first.destroy();
  await signer(asking.port, signHonestly);
  await asking.signsOn(3, 10_000);
  expect(asking.tally.counts(performance.now())).toMatchObject({ missed: 0, lost: 1 });
});

it('the tap reads along: what is asked, and what is signed, refused and lost', async () => {
  const book = new SignatureBook(2);
  const asking = await node(book);
  const told: string[] = [];
  const note = (what: string) => (record: { readonly step: string; readonly outcome: string }) =>
    void told.push(`${what} ${record.step} ${record.outcome}`);
  const tap = await PrivvalTap.listen(asking.port, {
    asked: note('asked'),
    answered: note('answered'),
    lost: note('lost'),
  });
  cleanup.add(() => tap.close());
  const silentFromSecond: Respond = (request) =>
    request.kind === 'signVote' && request.vote.height > 1n ? undefined : signHonestly(request);
  const socket = await signer(tap.port, silentFromSecond);
  await eventually('it is asked for what it does not answer', 10_000, () =>
    told.includes('asked Prevote pending') && told.filter((line) => line.startsWith('asked')).length >= 5
      ? true
      : undefined,
  );
  socket.destroy();
  await eventually('that is lost', 10_000, () => (told.some((line) => line.startsWith('lost')) ? true : undefined));
  expect(told.slice(0, 10)).toEqual([
    ...['Proposal', 'Prevote', 'Precommit', 'Proposal'].flatMap((step) => [
      `asked ${step} pending`,
      `answered ${step} signed`,
    ]),
    ...['asked Prevote pending', 'lost Prevote lost'],
  ]);
});
