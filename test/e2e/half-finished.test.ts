import { expect, it } from 'vitest';
import { AskedCluster, type Ballot } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { TestTimestamp } from '../support/vote-bytes.js';

// What is left of a vote when processes stop in the middle of it: the case that deadlocks other signers.
const cleanup = cleanupAfterEach();

const seconds = (later: bigint): TestTimestamp => ({ seconds: 1_790_000_000n + later, nanos: 7 });
const precommit = (later: bigint): Ballot => ({ step: 'Precommit', height: 5n, timestamp: seconds(later) });

it('two half-finished votes with different timestamps become one', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'half' });
  const [first, second, third] = at.cluster.cosigners;
  const stored = (where: string): Promise<true> =>
    eventually(`watermarks ${where}`, 15_000, async () =>
      (await at.watermarks()).join(' ') === where ? true : undefined,
    );
  /** Only `signer` stores the vote: the other one that is asked hears of it and never answers. */
  const halfFinish = async (signer: typeof first, mute: typeof first, ballot: Ballot): Promise<void> => {
    if (!signer?.running) await signer?.start();
    if (!mute?.running) await mute?.start();
    await eventually('signing works', 15_000, () => at.signed({ step: 'Prevote', height: 5n }));
    process.kill(mute?.pid ?? 0, 'SIGSTOP');
    const answer = await at.ask(ballot).catch(() => ({ kind: 'refused' }));
    expect(answer.kind).toBe('refused');
    await Promise.all([signer?.crash(), mute?.crash()]);
  };

  await third?.crash();
  await halfFinish(first, second, precommit(1n));
  await stored('5/0/3 5/0/2 0/0/0');
  await third?.start();
  await halfFinish(second, third, precommit(2n));
  await stored('5/0/3 5/0/3 5/0/2');

  // First and second hold the same precommit with other timestamps; the third one must not be needed.
  await Promise.all([first?.start(), second?.start()]);
  const { timestamp } = await at.signedAtLast(precommit(3n));
  expect(timestamp).toEqual(seconds(2n));
  expect((await at.signed(precommit(1n))).timestamp).toEqual(timestamp);
  expect((await at.refused({ ...precommit(3n), block: 'nil' })).error).toMatch(/^DOUBLE_SIGN: /);
  await third?.start();
  await at.signed({ step: 'Prevote', height: 6n });
});

it('what was signed is known after every process was killed and started again', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'reborn' });
  await at.signed({ step: 'Proposal', height: 7n, timestamp: seconds(1n) });
  await at.signed({ step: 'Prevote', height: 7n, timestamp: seconds(2n) });
  const restart = async (): Promise<void> => {
    await Promise.all(at.cluster.processes.map((process) => process.crash()));
    await Promise.all(at.cluster.processes.map((process) => process.start()));
    await eventually('the node is dialled', 15_000, () => at.node.ping().then(() => true));
  };

  await restart();
  const again = await at.signedAtLast({ step: 'Prevote', height: 7n, timestamp: seconds(3n) });
  expect(again.timestamp).toEqual(seconds(2n));
  await restart();
  expect((await at.refused({ step: 'Prevote', height: 7n, block: 'nil' })).error).toMatch(/^DOUBLE_SIGN: /);
  expect((await at.refused({ step: 'Proposal', height: 7n })).error).toMatch(/^STEP_REGRESSION: /);
  await at.signed({ step: 'Precommit', height: 7n });
});

it('a link that takes over answers with what the one before it had signed', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'takeover' });
  for (let height = 1n; height <= 2n; height++) {
    await at.signed({ step: 'Precommit', height, timestamp: seconds(1n) });
    const leader = await at.cluster.leader();
    await leader.crash();
    const { timestamp } = await at.signedAtLast({ step: 'Precommit', height, timestamp: seconds(9n) });
    expect(timestamp).toEqual(seconds(1n));
    expect((await at.refused({ step: 'Precommit', height, block: 'Y' })).error).toMatch(/^DOUBLE_SIGN: /);
    await leader.start();
  }
});
