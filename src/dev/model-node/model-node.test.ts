import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/bytes.js';
import { systemClock } from '../../shared/ports/clock.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { channelPair } from '../../../test/support/memory-channel.js';
import { systemRandom } from '../../shared/ports/random.js';
import { socketChannel } from '../../shared/ports/socket-channel.js';
import { encodeRequest, type PrivvalRequest } from '../../shared/privval/request.js';
import type { PrivvalResponse } from '../../shared/privval/response.js';
import { identityFromSeed } from '../../shared/secret-connection/identity.js';
import { secureChannel } from '../../shared/secret-connection/secure-channel.js';
import { Backlog } from './backlog.js';
import { heightFile, memoryHeight, type HeightStore } from './height-store.js';
import { ModelNode, type ModelNodeOptions } from './model-node.js';
import { SignerEndpoint } from './signer-endpoint.js';
import { startModelNode } from './start.js';
import { signHonestly, TEST_PUBLIC_KEY, TestSigner, type Respond } from '../../../test/support/test-signer.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'model-node-'));
  folders.push(folder);
  return folder;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(
  respond: Respond = signHonestly,
  options: Partial<ModelNodeOptions> = {},
  heights: HeightStore = memoryHeight(),
) {
  const clock = new ManualClock();
  const backlog = new Backlog(clock);
  const endpoint = new SignerEndpoint({ backlog, clock });
  const lines: string[] = [];
  const settings = {
    chainId: 'test-1',
    version: '0.37',
    blockMs: 1000,
    roundMs: 1000,
    waitForSigner: false,
    ...options,
  } as const;
  const node = new ModelNode(settings, {
    endpoint,
    heights,
    clock,
    events: {
      signed: ({ step, height, round, blockId }) =>
        lines.push(`signed ${height}/${round}/${step} ${blockId === undefined ? 'nil' : 'block'}`),
      missed: ({ step, height, round }, reason) => lines.push(`missed ${height}/${round}/${step} ${reason}`),
      block: (height, round) => lines.push(`block ${height}/${round} at ${clock.nowMs()}`),
      waiting: ({ code }) => lines.push(`waiting ${code}`),
    },
  });
  endpoint.start();
  const dial = (how: Respond): TestSigner => {
    const [near, far] = channelPair();
    backlog.push({ open: () => Promise.resolve(near), drop: () => near.close() });
    return new TestSigner(far, how).start();
  };
  const signer = dial(respond);
  /** Lets the node run for `ms` of its time, or until it ends. */
  const run = async (blocks: number, ms = 60_000): Promise<unknown> => {
    let ended: unknown = 'running';
    node.run(blocks).then(
      () => (ended = 'done'),
      (error: unknown) => (ended = error),
    );
    for (let passed = 0; passed < ms && ended === 'running'; passed += 100) {
      for (let i = 0; i < 20; i++) await settle();
      if (ended === 'running') clock.advance(100);
    }
    await settle();
    return ended;
  };
  return { node, signer, lines, clock, dial, run };
}

const nameOf = (request: PrivvalRequest): string =>
  request.kind === 'signVote' ? `vote${request.vote.type}` : request.kind;
/** Answers honestly but for those requests that `special` has an answer for. */
const but =
  (special: (request: PrivvalRequest, count: number) => PrivvalResponse | undefined): Respond =>
  (request) => {
    count++;
    return special(request, count) ?? signHonestly(request);
  };
let count = 0;

/** The node's time runs ahead of a slow disk: so much of it that the disk has done its part long before. */
const WITH_REAL_FILES_MS = 3_600_000;

describe('a chain of one validator', () => {
  it('asks for the key four times, then proposal, prevote, precommit and the key for each block', async () => {
    const { signer, lines, node, run } = setUp();
    expect(await run(2)).toBe('done');
    const block = ['signProposal', 'vote1', 'vote2', 'pubKey'];
    expect(signer.asked.map(nameOf)).toEqual(['pubKey', 'pubKey', 'pubKey', 'pubKey', ...block, ...block]);
    expect(lines.filter((line) => line.startsWith('block'))).toEqual(['block 1/0 at 0', 'block 2/0 at 1000']);
    expect(node.stats).toEqual({ height: 2n, blocks: 2, signed: 6, missed: 0, badSignatures: 0 });
    expect(node.latencies.count).toBe(6);
  });

  it.each<[ModelNodeOptions['version'], boolean, string[]]>([
    ['0.37', true, ['', 'false']],
    ['0.38', false, ['', 'false']],
    ['0.38', true, ['ext 1', 'false']],
    ['1.0', false, ['', 'true']],
    ['1.0', true, ['ext 1', 'false']],
  ])('%s, extensions %s: what a precommit asks for', async (version, extended, expected) => {
    const extension = (height: bigint): Uint8Array => new Uint8Array(Buffer.from(`ext ${height}`));
    const { signer, run } = setUp(signHonestly, { version, ...(extended ? { extension } : {}) });
    expect(await run(1)).toBe('done');
    const [precommit] = signer.asked.filter((request) => nameOf(request) === 'vote2');
    if (precommit?.kind !== 'signVote') throw new Error('no precommit');
    expect([Buffer.from(precommit.vote.extension).toString(), String(precommit.skipExtensionSigning)]).toEqual(
      expected,
    );
  });

  it('adopts the timestamp that a vote comes back with', async () => {
    const earlier = { seconds: 1_600_000_000n, nanos: 1 };
    const { node, run } = setUp((request) =>
      signHonestly(
        request.kind === 'signVote' ? { ...request, vote: { ...request.vote, timestamp: earlier } } : request,
      ),
    );
    expect(await run(1)).toBe('done');
    expect(node.stats).toMatchObject({ signed: 3, missed: 0 });
  });

  it('a refusal is final: the round goes on to nil, and a locked block comes again in the next', async () => {
    count = 0;
    const error = { code: 6, description: 'QUORUM_LOST: one of three' };
    const { signer, lines, run } = setUp(
      but((request, n) =>
        n === 7 && request.kind === 'signVote' ? { kind: 'refused', of: 'signVote', error } : undefined,
      ),
    );
    expect(await run(1)).toBe('done');
    expect(lines).toEqual([
      'signed 1/0/1 block',
      'signed 1/0/2 block',
      'missed 1/0/3 error #6: QUORUM_LOST: one of three',
      'signed 1/1/1 block',
      'signed 1/1/2 block',
      'signed 1/1/3 block',
      'block 1/1 at 1000',
    ]);
    const proposals = signer.asked.flatMap((request) => (request.kind === 'signProposal' ? [request.proposal] : []));
    expect(proposals.map(({ polRound }) => polRound)).toEqual([-1, 0]);
    expect(proposals[1]?.blockId).toEqual(proposals[0]?.blockId);
  });

  it('a proposal that is refused leads to nil votes and another block', async () => {
    count = 0;
    const error = { code: 2, description: 'DOUBLE_SIGN: no' };
    const { lines, run } = setUp(
      but((_request, n) => (n === 5 ? { kind: 'refused', of: 'signProposal', error } : undefined)),
    );
    expect(await run(1)).toBe('done');
    expect(lines.slice(0, 3)).toEqual([
      'missed 1/0/1 error #2: DOUBLE_SIGN: no',
      'signed 1/0/2 nil',
      'signed 1/0/3 nil',
    ]);
    expect(lines.at(-1)).toBe('block 1/1 at 1000');
  });

  it('asks the next signer the same, byte for byte, when one falls silent', async () => {
    count = 0;
    const silent = setUp((request) => (++count === 6 ? undefined : signHonestly(request)));
    const next = silent.dial(signHonestly);
    expect(await silent.run(1)).toBe('done');
    const lost = silent.signer.asked.at(-1);
    expect(nameOf(lost ?? { kind: 'ping' })).toBe('vote1');
    expect(next.asked.find(({ kind }) => kind !== 'ping')).toEqual(lost);
    expect(silent.node.stats).toMatchObject({ signed: 3, missed: 0 });
  });

  it('says why it waits, once until it is answered', async () => {
    const { lines, signer, clock, dial, run } = setUp((request) => {
      if (++count === 6) signer.channel.close();
      return signHonestly(request);
    });
    count = 0;
    clock.schedule(20_000, () => dial(signHonestly));
    expect(await run(1)).toBe('done');
    expect(lines.filter((line) => line.startsWith('waiting'))).toEqual([
      'waiting SIGNER_LOST',
      'waiting SIGNER_ABSENT',
    ]);
  });

  it('a wrong kind of answer is asked again fifty times, then the vote is lost', async () => {
    count = 0;
    const { lines, signer, run } = setUp(
      but((request) => (request.kind === 'signProposal' ? { kind: 'ping' } : undefined)),
    );
    await run(1, 5500);
    expect(signer.asked.filter(({ kind }) => kind === 'signProposal')).toHaveLength(50);
    expect(lines[0]).toBe('missed 1/0/1 the signer answers ping');
  });

  it('a signature over something else is a lost vote', async () => {
    const { node, run } = setUp((request) =>
      signHonestly(request.kind === 'signProposal' ? { ...request, chainId: 'other' } : request),
    );
    await run(1, 1500);
    expect(node.stats).toMatchObject({ blocks: 0, missed: 2, badSignatures: 2 });
  });
});

describe('where a real node exits', () => {
  const stripped: Respond = (request) => {
    const response = signHonestly(request);
    return response.kind === 'signedVote' ? { ...response, extensionSignature: new Uint8Array(0) } : response;
  };
  const everywhere: Respond = (request) => {
    const response = signHonestly(request);
    return response.kind === 'signedVote' ? { ...response, extensionSignature: response.signature } : response;
  };

  it.each<[string, Respond, Partial<ModelNodeOptions>, object | string]>([
    ['0.37 does not know extensions', everywhere, { version: '0.37' }, 'done'],
    ['0.38 without the signature of an empty extension', stripped, { version: '0.38' }, { code: 'SIGNER_ANSWER' }],
    ['1.0 does without one when the chain does', stripped, { version: '1.0' }, 'done'],
    ['1.0 with an extension on a prevote', everywhere, { version: '1.0' }, { code: 'SIGNER_ANSWER' }],
    ['another key than the validator has', signHonestly, { publicKey: new Uint8Array(32) }, { code: 'SIGNER_ANSWER' }],
    ['the right key', signHonestly, { publicKey: TEST_PUBLIC_KEY }, 'done'],
    [
      'the key is refused',
      () => ({ kind: 'refused', of: 'pubKey', error: { code: 3, description: 'WRONG_CHAIN: no' } }),
      {},
      { code: 'SIGNER_ANSWER', message: expect.stringContaining('WRONG_CHAIN') as string },
    ],
  ])('%s', async (_name, respond, options, end) => {
    const { run } = setUp(respond, options);
    const ended = await run(1);
    if (typeof end === 'string') expect(ended).toBe(end);
    else expect(ended).toMatchObject(end);
  });

  it('no signer within 3 s', async () => {
    const { signer, run } = setUp();
    signer.channel.close();
    expect(await run(1)).toMatchObject({ code: 'SIGNER_LOST' });
    expect(await run(1)).toMatchObject({ code: 'SIGNER_ABSENT' });
  });

  it('unless it is told to wait', async () => {
    const { signer, clock, dial, run } = setUp(signHonestly, { waitForSigner: true });
    signer.channel.close();
    clock.schedule(20_000, () => dial(signHonestly));
    expect(await run(1)).toBe('done');
  });
});

describe('restart', () => {
  it('goes on from the height in its file, and proposes the same again', async () => {
    const path = join(await newFolder(), 'height.json');
    const first = setUp(signHonestly, {}, heightFile(path, 'test-1'));
    expect(await first.run(3, WITH_REAL_FILES_MS)).toBe('done');
    const second = setUp(signHonestly, {}, heightFile(path, 'test-1'));
    expect(await second.run(1, WITH_REAL_FILES_MS)).toBe('done');
    expect(second.node.stats.height).toBe(4n);

    const proposalAt4 = ({ signer }: { signer: TestSigner }): string[] =>
      signer.asked.flatMap((r) =>
        r.kind === 'signProposal' && r.proposal.height === 4n ? [toHex(encodeRequest(r))] : [],
      );
    const third = setUp(signHonestly, {}, memoryHeight(3n));
    await third.run(1);
    expect(proposalAt4(third)).toEqual(proposalAt4(second));
    expect(proposalAt4(third)).toHaveLength(1);
  });

  it.each([
    ['another chain', '{"chainId":"other","height":"3"}'],
    ['no JSON', 'height 3'],
    ['a height that is a number', '{"chainId":"test-1","height":3}'],
    ['null', 'null'],
  ])('refuses a file of %s', async (_name, text) => {
    const path = join(await newFolder(), 'height.json');
    await writeFile(path, text);
    await expect(heightFile(path, 'test-1').load()).rejects.toMatchObject({ code: 'MODEL_STATE_INVALID' });
  });
});

describe('on real sockets', () => {
  it.each(['tcp', 'unix'] as const)('makes blocks over %s and stops cleanly', async (transport) => {
    const listen =
      transport === 'tcp'
        ? ({ transport, host: '127.0.0.1', port: 0 } as const)
        : ({ transport, path: join(await newFolder(), 'node.sock') } as const);
    const running = await startModelNode({ chainId: 'test-1', listen, blockMs: 0, version: '0.38' });
    const target = new URL(running.address);
    const socket = transport === 'tcp' ? connect(Number(target.port), target.hostname) : connect(target.pathname);
    const raw = socketChannel(socket, { transport });
    const identity = identityFromSeed(systemRandom(32));
    const channel =
      transport === 'tcp' ? await secureChannel(raw, { identity, clock: systemClock, random: systemRandom }) : raw;
    const signer = new TestSigner(channel).start();
    await running.node.run(20);
    expect(running.node.stats).toEqual({ height: 20n, blocks: 20, signed: 60, missed: 0, badSignatures: 0 });
    await running.stop();
    while (signer.ended === undefined) await settle();
  });

  it('stops while it waits for a signer', async () => {
    const running = await startModelNode({
      chainId: 'test-1',
      listen: { transport: 'tcp', host: '127.0.0.1', port: 0 },
    });
    const run = running.node.run();
    await running.stop();
    await expect(run).resolves.toBeUndefined();
  });
});
