import { createServer, connect, type AddressInfo } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { answering, HostNames, isName, LookupError } from './host-names.js';

const A: LookupAddress = { address: '10.0.0.1', family: 4 };
const B: LookupAddress = { address: '10.0.0.2', family: 4 };

/** Name servers that answer when the test says so. */
class World {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly #answers: ((found: readonly LookupAddress[] | string) => void)[] = [];
  readonly names = new HostNames((name) => {
    this.asked.push(name);
    return new Promise((resolve, reject) => {
      this.#answers.push((found) =>
        typeof found === 'string' ? reject(Object.assign(new Error(found), { code: found })) : resolve(found),
      );
    });
  }, this.clock);

  /** Of the oldest question. */
  async answer(found: readonly LookupAddress[] | string): Promise<void> {
    await this.clock.pass(0);
    this.#answers.shift()?.(found);
    await this.clock.pass(0);
  }

  /** What becomes of asking for a name: a code, addresses, or both, once that is known. */
  find(host = 'node'): { said: string } {
    const outcome = { said: 'waits' };
    void this.names.addresses(host).then(
      ({ addresses, trouble }) => {
        const list = addresses.map(({ address }) => address).join(' ');
        outcome.said = trouble === undefined ? list : `${list}, for ${trouble.code}`;
      },
      (error: unknown) => (outcome.said = error instanceof LookupError ? error.code : String(error)),
    );
    return outcome;
  }

  async known(): Promise<this> {
    this.find();
    await this.answer([A]);
    return this;
  }
}

describe('a name of which nothing is known', () => {
  it.each<[name: string, found: readonly LookupAddress[] | string, said: string]>([
    ['is found', [A, B], '10.0.0.1 10.0.0.2'],
    ['does not exist', 'ENOTFOUND', 'ENOTFOUND'],
    ['has no address', [], 'ENOTFOUND'],
    ['cannot be asked for', 'EAI_AGAIN', 'EAI_AGAIN'],
    ['is asked for in vain in another way', 'EAI_FAIL', 'EAI_AGAIN'],
  ])('%s', async (_name, found, said) => {
    const world = new World();
    const outcome = world.find();
    await world.answer(found);
    expect([outcome.said, world.clock.pending]).toEqual([said, 0]);
  });

  it('has a limit, and what hangs does not pile up', async () => {
    const world = new World();
    const first = world.find();
    await world.clock.pass(1_499);
    expect(first.said).toBe('waits');
    await world.clock.pass(1);
    expect(first.said).toBe('ETIMEOUT');
    for (let i = 0; i < 100; i++) {
      world.find();
      await world.clock.pass(1_500);
    }
    expect(world.asked).toEqual(['node']);
    await world.answer([A]);
    const later = world.find();
    await world.answer([B]);
    expect([later.said, world.asked]).toEqual(['10.0.0.2', ['node', 'node']]);
  });

  it('is called late also by those who are there when it fails in the end', async () => {
    const world = new World();
    world.find();
    await world.clock.pass(2_000);
    const second = world.find();
    await world.answer('EAI_AGAIN');
    expect(second.said).toBe('ETIMEOUT');
  });

  it('two who ask at once share a look-up', async () => {
    const world = new World();
    const both = [world.find(), world.find()];
    await world.answer([A]);
    expect([both.map(({ said }) => said), world.asked]).toEqual([['10.0.0.1', '10.0.0.1'], ['node']]);
  });
});

describe('a name that was found before', () => {
  it.each<[name: string, found: readonly LookupAddress[] | string, said: string]>([
    ['has moved', [B], '10.0.0.2'],
    ['is no more: that is an answer', 'ENOTFOUND', 'ENOTFOUND'],
    ['cannot be asked for: what is known is used', 'EAI_AGAIN', '10.0.0.1, for EAI_AGAIN'],
  ])('%s', async (_name, found, said) => {
    const world = await new World().known();
    const outcome = world.find();
    await world.answer(found);
    expect(outcome.said).toBe(said);
  });

  it('is waited for only briefly, and called trouble when that goes on', async () => {
    const world = await new World().known();
    const first = world.find();
    await world.clock.pass(100);
    expect(first.said).toBe('10.0.0.1');
    await world.clock.pass(1_400);
    const second = world.find();
    await world.clock.pass(100);
    expect(second.said).toBe('10.0.0.1, for ETIMEOUT');
    expect(world.asked).toEqual(['node', 'node']);
    await world.answer([B]);
    const third = world.find();
    await world.clock.pass(100);
    expect(third.said).toBe('10.0.0.2');
  });

  it('once it is no more, is not remembered', async () => {
    const world = await new World().known();
    world.find();
    await world.answer('ENOTFOUND');
    const outcome = world.find();
    await world.answer('EAI_AGAIN');
    expect(outcome.said).toBe('EAI_AGAIN');
  });
});

it('no more than two names are looked up at once, and the others get their turn', async () => {
  const world = new World();
  const outcomes = ['a', 'b', 'c'].map((name) => world.find(name));
  await world.clock.pass(0);
  expect(world.asked).toEqual(['a', 'b']);
  await world.answer([A]);
  expect(world.asked).toEqual(['a', 'b', 'c']);
  await world.answer([B]);
  await world.answer([A]);
  expect(outcomes.map(({ said }) => said)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.1']);
});

it.each([
  ['10.0.0.1', false],
  ['fe80::1%eth0', false],
  ['localhost', true],
])('has %s to be looked up? %s', (host, expected) => {
  expect(isName(host)).toBe(expected);
});

it.each([true, false])(
  'a socket takes what was found, also the second address of it (several: %s)',
  async (several) => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const right: LookupAddress = { address: '127.0.0.1', family: 4 };
    const lookup = answering(several ? [{ address: '::1', family: 6 }, right] : [right]);
    const socket = connect({ host: 'not.a.name.invalid', port, autoSelectFamily: several, lookup });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  },
);

describe('names that are not dialled yet', () => {
  it('are known by the time when the name servers are silent', async () => {
    const world = new World();
    world.names.keepKnown(['node']);
    await world.answer([A]);
    const dialled = world.find();
    await world.clock.pass(100);
    expect(dialled.said).toBe('10.0.0.1');
  });

  it('are looked up every minute until that is ended, and no failure ends it', async () => {
    const world = new World();
    const end = world.names.keepKnown(['node', 'other']);
    await world.answer('EAI_AGAIN');
    await world.answer('ENOTFOUND');
    await world.clock.pass(60_000);
    expect(world.asked).toEqual(['node', 'other', 'node', 'other']);
    end();
    await world.answer([A]);
    await world.answer([B]);
    await world.clock.pass(600_000);
    expect(world.asked).toHaveLength(4);
  });
});
