import { describe, expect, it } from 'vitest';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { isHekateError } from '../../src/shared/errors.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { silentLog, type LogFields } from '../../src/shared/ports/log.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { EMPTY_VOTE } from '../../src/shared/privval/node-messages.js';
import { encodeRequest } from '../../src/shared/privval/request.js';
import { decodeResponse } from '../../src/shared/privval/response.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import type { VerifiedSignature } from '../../src/shared/ed25519/openssl-verify.js';
import { channelPair } from '../../test/support/memory-channel.js';
import type { SignOutcome, VoteToSign } from '../vote-to-sign.js';
import type { NodeChannel } from './dialler.js';
import { NodeService, type NodeServiceChain } from './node-service.js';

const KEY = new Uint8Array(32).fill(3);
const SIGNED: SignOutcome = {
  kind: 'signed',
  signature: new Uint8Array(64).fill(4) as VerifiedSignature,
  timestamp: { seconds: 1n, nanos: 0 },
  extensionSignature: undefined,
};

const TEST_1 = { chainId: 'test-1', publicKey: KEY, nodes: ['a:1', 'b:1'].map((text) => parseNodeAddress(text)) };

/** Nodes that take every connection, and a service that serves them; two nodes of one chain unless told otherwise. */
class World {
  readonly clock = new ManualClock();
  readonly dials: string[] = [];
  readonly asked: VoteToSign[] = [];
  readonly refusing = new Set<string>();
  /** What each node shows as its identity. */
  readonly peerIds = new Map<string, string>();
  /** Lines about which node is served. */
  readonly told: string[] = [];
  /** The node's end of the connection to each. */
  readonly open = new Map<string, ByteChannel>();
  readonly #heard = new Map<string, string[]>();
  readonly service: NodeService;

  constructor(
    mode: 'active' | 'any' = 'active',
    sign: (vote: VoteToSign) => Promise<SignOutcome> = async () => SIGNED,
    more: readonly NodeServiceChain[] = [],
  ) {
    this.service = new NodeService([{ ...TEST_1, mode }, ...more], {
      connect: async (address) => this.#connect(address.transport === 'tcp' ? address.host : ''),
      sign: (_chainId, vote) => {
        this.asked.push(vote);
        return sign(vote);
      },
      clock: this.clock,
      random: (length) => new Uint8Array(length),
      log: { ...silentLog, info: this.#tell, warn: this.#tell },
    });
  }

  readonly #tell = (event: string, fields: LogFields = {}): void => {
    if (event === 'node served') this.told.push(`${String(fields['node'])} served: ${String(fields['because'])}`);
    else if (event === 'not the node that is served')
      this.told.push(`${String(fields['node'])} not: ${String(fields['cause'])}`);
    else if (fields['code'] === 'DIAL_SAME_NODE') this.told.push(`DIAL_SAME_NODE ${String(fields['cause'])}`);
  };

  #connect(node: string): NodeChannel {
    this.dials.push(node);
    if (this.refusing.has(node)) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const [ours, theirs] = channelPair({ clock: this.clock, delayMs: () => 1 });
    const reader = new MessageReader();
    ours.start({
      bytes: (bytes) => {
        reader.push(bytes);
        for (let one = reader.next(); one !== undefined; one = reader.next()) {
          const response = decodeResponse(one);
          this.#heard.set(node, [...(this.#heard.get(node) ?? []), kindOf(response)]);
        }
      },
      closed: () => void this.open.delete(node),
    });
    this.open.set(node, ours);
    const peerId = this.peerIds.get(node);
    return peerId === undefined ? theirs : Object.assign(theirs, { peerId });
  }

  /** Asks for a vote; what comes back. */
  async ask(node: string, height = 5n, chainId = 'test-1', round = 0): Promise<string | undefined> {
    const vote = { ...EMPTY_VOTE, type: 1, height, round, timestamp: { seconds: 1n, nanos: 0 } };
    const message = encodeRequest({ kind: 'signVote', chainId, vote, skipExtensionSigning: false });
    this.open.get(node)?.write(frameMessage(message));
    await this.clock.pass(10);
    return this.#heard.get(node)?.at(-1);
  }
}

function kindOf(response: ReturnType<typeof decodeResponse>): string {
  return response.kind === 'refused' ? response.error.description : response.kind;
}

describe('node service', () => {
  it('dials nobody until it is opened, then every node once', async () => {
    const world = new World();
    await world.clock.pass(5_000);
    expect(world.dials).toEqual([]);
    world.service.open();
    await world.clock.pass(5_000);
    expect(world.dials).toEqual(['a', 'b']);
  });

  it.each<[name: string, refusing: readonly string[], opened: boolean, reached: boolean]>([
    ['all are connected', [], true, true],
    ['one of two is', ['a'], true, true],
    ['none is', ['a', 'b'], true, false],
    ['before it is opened', [], false, false],
  ])('whether a node of the chain is reached: %s', async (_name, refusing, opened, reached) => {
    const world = new World('active', undefined, [{ ...TEST_1, chainId: 'test-2', nodes: [], mode: 'active' }]);
    for (const node of refusing) world.refusing.add(node);
    if (opened) world.service.open();
    await world.clock.pass(2_000);
    expect(['test-1', 'test-2'].map((chainId) => world.service.reaches(chainId))).toEqual([reached, false]);
  });

  it('close ends every connection at once and dials no more; open dials again', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    expect([...world.open.keys()]).toEqual(['a', 'b']);
    world.service.close();
    await world.clock.pass(10);
    expect(world.open.size).toBe(0);
    await world.clock.pass(5_000);
    expect(world.dials).toHaveLength(2);
    world.service.open();
    await world.clock.pass(1_000);
    expect([...world.open.keys()]).toEqual(['a', 'b']);
  });

  it('a signature that comes when the lease is gone reaches no node', async () => {
    let finish: (outcome: SignOutcome) => void = () => undefined;
    const world = new World('active', () => new Promise((resolve) => (finish = resolve)));
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a');
    world.service.close();
    world.service.open();
    await world.clock.pass(1_000);
    finish(SIGNED);
    await world.clock.pass(100);
    expect(await world.ask('a')).toBeUndefined();
  });

  it('active: one node is served, the next when the first is gone', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    expect(await world.ask('b')).toBe('signedVote');
    expect(await world.ask('a')).toBe('NODE_NOT_SERVED: tcp://b:1 is served: it asked first');
    expect(world.asked).toHaveLength(1);
    world.refusing.add('b');
    world.open.get('b')!.close();
    await world.clock.pass(10);
    expect(await world.ask('a')).toMatch(/b:1 is served: it asked first/);
    await world.clock.pass(3_000);
    expect(await world.ask('a')).toBe('signedVote');
    world.refusing.delete('b');
    await world.clock.pass(2_000);
    expect(await world.ask('b')).toBe('NODE_NOT_SERVED: tcp://a:1 is served: tcp://b:1 was lost');
  });

  it('active: after the lease was lost and won again, whichever asks first is served', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a');
    world.service.close();
    await world.clock.pass(10);
    world.refusing.add('a');
    world.service.open();
    await world.clock.pass(1_000);
    expect(await world.ask('b')).toBe('signedVote');
  });

  it('any: both are served', async () => {
    const world = new World('any');
    world.service.open();
    await world.clock.pass(100);
    expect([await world.ask('a'), await world.ask('b')]).toEqual(['signedVote', 'signedVote']);
  });

  it('which node is served is said when that changes, and so why the others are not', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    for (let height = 1n; height < 50n; height++) {
      await world.ask('a', height);
      await world.ask('b', height);
    }
    world.refusing.add('a');
    world.open.get('a')!.close();
    await world.clock.pass(3_100);
    world.refusing.delete('a');
    await world.ask('b', 50n);
    await world.clock.pass(1_000);
    for (let height = 50n; height < 60n; height++) {
      await world.ask('b', height);
      await world.ask('a', height);
    }
    expect(world.told).toEqual([
      'tcp://a:1 served: it asked first',
      'tcp://b:1 not: tcp://a:1 is served: it asked first',
      'tcp://b:1 served: tcp://a:1 was lost',
      'tcp://a:1 not: tcp://b:1 is served: tcp://a:1 was lost',
    ]);
  });

  it('active: a node that comes back in time is still served', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a');
    for (let flap = 0; flap < 10; flap++) {
      world.open.get('a')!.close();
      await world.clock.pass(1_000);
      expect(await world.ask('b')).toMatch(/^NODE_NOT_SERVED/);
      expect(await world.ask('a')).toBe('signedVote');
    }
  });

  it('active: the next when the first only pings while that one asks for higher heights', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a', 5n);
    const answers: (string | undefined)[] = [];
    for (let height = 6n; height < 12n; height++) {
      await world.clock.pass(980);
      answers.push(await world.ask('b', height));
    }
    expect(answers.map((answer) => answer === 'signedVote')).toEqual([false, false, false, false, false, true]);
    expect(world.told.at(-1)).toBe('tcp://b:1 served: tcp://a:1 stood still');
  });

  it.each<[name: string, code: ErrorCode, heights: readonly bigint[], gives: boolean]>([
    ['refused as too high', 'HEIGHT_JUMP', [90_000n], true],
    ['refused as behind', 'HEIGHT_REGRESSION', [1n, 2n, 3n, 4n, 2n, 3n, 4n], true],
    ['that cannot be at all', 'REQUEST_INVALID', [0n], true],
    ['for which there is no quorum', 'QUORUM_LOST', [6n, 7n, 8n, 9n, 10n, 11n, 12n], false],
  ])('active: whether heights %s keep a node its place', async (_name, code, heights, gives) => {
    const world = new World('active', async ({ signBytes: { says } }) =>
      heights.includes(says.height) ? { kind: 'refused', code, message: 'no' } : SIGNED,
    );
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a', 5n);
    let other: string | undefined;
    for (let times = 0; times < 7; times++) {
      await world.clock.pass(980);
      expect(await world.ask('a', heights[times % heights.length])).toMatch(other === 'signedVote' ? /^/ : code);
      other = await world.ask('b', 51n + BigInt(times));
    }
    expect(other === 'signedVote').toBe(gives);
  });

  it('active: a node that goes through rounds does not stand still', async () => {
    const world = new World();
    world.service.open();
    await world.clock.pass(100);
    for (let round = 0; round < 10; round++) {
      expect(await world.ask('a', 5n, 'test-1', round)).toBe('signedVote');
      await world.clock.pass(4_000);
    }
    for (let times = 0; times < 3; times++) {
      expect(await world.ask('b', 6n)).toMatch(/^NODE_NOT_SERVED/);
      expect(await world.ask('a', 5n, 'test-1', 10 + times)).toBe('signedVote');
      await world.clock.pass(1_000);
    }
  });

  describe('which node is served can be chosen', () => {
    const opened = async (mode?: 'any', more: readonly NodeServiceChain[] = []): Promise<World> => {
      const world = new World(mode ?? 'active', undefined, more);
      world.service.open();
      await world.clock.pass(100);
      return world;
    };
    const onlyOther: NodeServiceChain = { ...TEST_1, chainId: 'test-2', mode: 'active' };

    it('and is so from the next height on', async () => {
      const world = await opened();
      await world.ask('a', 5n);
      expect(world.service.use('b')).toEqual([{ chainId: 'test-1', node: 'tcp://b:1', before: 'tcp://a:1' }]);
      const chosen = 'it was chosen with `hekate node use`';
      expect(await world.ask('b', 5n)).toBe(
        `NODE_NOT_SERVED: tcp://a:1 finishes this height, tcp://b:1 is served from the next one on: ${chosen}`,
      );
      expect(await world.ask('a', 5n, 'test-1', 1)).toBe('signedVote');
      expect(await world.ask('a', 6n)).toBe(`NODE_NOT_SERVED: tcp://b:1 is served: ${chosen}`);
      expect(await world.ask('b', 6n)).toBe('signedVote');
      expect(world.told).toContain('tcp://b:1 served: it was chosen with `hekate node use`');
      expect(world.service.use('tcp://B:01')).toEqual([{ chainId: 'test-1', node: 'tcp://b:1', before: 'tcp://b:1' }]);
    });

    it('also while a request of the other one is on its way, which comes to nothing', async () => {
      let fail: (error: Error) => void = () => undefined;
      const world = new World('active', ({ signBytes: { says } }) =>
        says.height === 6n ? new Promise((_, reject) => (fail = reject)) : Promise.resolve(SIGNED),
      );
      world.service.open();
      await world.clock.pass(100);
      await world.ask('a', 5n);
      await world.ask('a', 6n);
      world.service.use('b');
      expect(await world.ask('b', 6n)).toMatch(/^NODE_NOT_SERVED: tcp:\/\/a:1 finishes this height/);
      fail(new Error('no disk'));
      await world.clock.pass(10);
      expect(await world.ask('b', 5n)).toMatch(/^NODE_NOT_SERVED: tcp:\/\/a:1 finishes this height/);
      expect(await world.ask('b', 7n)).toBe('signedVote');
    });

    it('for each chain that has it, or for one', async () => {
      const world = await opened(undefined, [onlyOther]);
      expect(world.service.use('b', 'test-2').map(({ chainId }) => chainId)).toEqual(['test-2']);
      expect(world.service.use('a').map(({ chainId, before }) => [chainId, before])).toEqual([
        ['test-1', null],
        ['test-2', 'tcp://b:1'],
      ]);
    });

    it('until the lease is lost', async () => {
      const world = await opened();
      world.service.use('b');
      world.service.close();
      world.service.open();
      await world.clock.pass(1_000);
      expect(await world.ask('a')).toBe('signedVote');
    });

    it.each<[name: string, node: string, chain: string | undefined, mode: 'any' | undefined, said: RegExp]>([
      ['an unknown node', 'c', undefined, undefined, /^NODE_UNKNOWN: no node is named "c": tcp:\/\/a:1, tcp:\/\/b:1/],
      ['an unknown chain', 'b', 'test-9', undefined, /^NODE_UNKNOWN: .* no chain of that id, only test-1/],
      ['where all are served', 'b', undefined, 'any', /^NODE_ALL_SERVED: test-1 serves all/],
      ['one that is not connected', 'a', undefined, undefined, /^NODE_NOT_CONNECTED: tcp:\/\/a:1 .*DIAL_REFUSED/],
    ])('%s is refused, and nothing changes', async (_name, node, chain, mode, said) => {
      const world = await opened(mode);
      await world.ask('b', 5n);
      world.refusing.add('a');
      world.open.get('a')!.close();
      await world.clock.pass(1_000);
      const before = world.service.status();
      let error = '';
      try {
        world.service.use(node, chain);
      } catch (thrown) {
        error = isHekateError(thrown) ? thrown.toLine() : String(thrown);
      }
      expect(error).toMatch(said);
      expect(world.service.status()).toEqual(before);
    });
  });

  it('two addresses that lead to one node are told of once', async () => {
    const world = new World();
    world.peerIds.set('a', 'ab').set('b', 'ab');
    world.service.open();
    await world.clock.pass(100);
    for (const node of ['a', 'b', 'a']) {
      world.open.get(node)!.close();
      await world.clock.pass(1_000);
    }
    expect(world.told).toEqual(['DIAL_SAME_NODE tcp://a:1 and tcp://b:1 show the same identity (ab)']);
  });

  it('status says which node is there, why not, and what became of its requests', async () => {
    const world = new World();
    world.refusing.add('b');
    world.service.open();
    await world.clock.pass(100);
    await world.ask('a');
    await world.ask('a', 0n);
    expect(world.service.status()).toEqual([
      {
        chainId: 'test-1',
        address: expect.stringContaining('a:1') as string,
        connected: true,
        problem: null,
        served: true,
        because: 'it asked first',
        signed: 1,
        refused: 1,
      },
      {
        chainId: 'test-1',
        address: expect.stringContaining('b:1') as string,
        connected: false,
        problem: 'DIAL_REFUSED',
        served: false,
        because: null,
        signed: 0,
        refused: 0,
      },
    ]);
  });

  describe('one address, two chains', () => {
    const two: NodeServiceChain = {
      ...{ chainId: 'test-2', publicKey: new Uint8Array(32).fill(5), mode: 'active' },
      nodes: [parseNodeAddress('tcp://a:1')],
    };
    const opened = async (): Promise<World> => {
      const world = new World('active', async () => SIGNED, [two]);
      world.service.open();
      await world.clock.pass(100);
      return world;
    };

    it('is dialled once, and signs for whichever chain the node asks', async () => {
      const world = await opened();
      expect(world.dials).toEqual(['a', 'b']);
      expect(await world.ask('a', 5n, 'test-1')).toBe('signedVote');
      world.open.get('a')!.close();
      await world.clock.pass(1_000);
      expect(await world.ask('a', 1n, 'test-2')).toBe('signedVote');
      expect(world.dials).toEqual(['a', 'b', 'a']);
      expect(world.asked.map(({ signBytes }) => signBytes.says.chainId)).toEqual(['test-1', 'test-2']);
    });

    it('a node that left a chain does not keep it from the other nodes of that chain', async () => {
      const world = await opened();
      expect(await world.ask('a', 5n, 'test-1')).toBe('signedVote');
      expect(await world.ask('b', 6n, 'test-1')).toMatch(/tcp:\/\/a:1 is served/);
      world.open.get('a')!.close();
      await world.clock.pass(1_000);
      for (let height = 1n; height < 4n; height++) {
        expect(await world.ask('a', height, 'test-2')).toBe('signedVote');
        await world.clock.pass(1_000);
      }
      expect(await world.ask('b', 6n, 'test-1')).toBe('signedVote');
    });

    it('status tells each chain by itself', async () => {
      const world = await opened();
      await world.ask('a', 5n, 'test-2');
      await world.ask('a', 5n, 'test-3');
      const lines = world.service.status().map(({ chainId, address, signed, refused }) => {
        return `${chainId} ${address} ${signed} ${refused}`;
      });
      expect(lines).toEqual(['test-1 tcp://a:1 0 0', 'test-2 tcp://a:1 1 0', 'test-1 tcp://b:1 0 0']);
    });
  });
});
