import { join } from 'node:path';
import { dealKey } from '../../src/setup/keys/dealing.js';
import { generateConsensusKey } from '../../src/setup/keys/priv-validator-key.js';
import { verifySignature } from '../../src/shared/ed25519/openssl-verify.js';
import { aggregate } from '../../src/shared/frost/aggregate.js';
import type { Group } from '../../src/shared/frost/group.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { signShare } from '../../src/shared/frost/sign.js';
import { must } from '../../src/shared/invariant.js';
import { nodeDisk } from '../../src/shared/ports/node-disk.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { createState } from '../../src/setup/state-init.js';
import { WatermarkStore } from '../../src/shared/watermark/store.js';
import { neverSigned } from '../../src/shared/watermark/watermark.js';
import type { Bench, BenchContext } from './bench.js';
import { startEcho } from './echo.js';
import { resultOf } from './result.js';
import { Ballots } from './voter.js';

/** Where the time of one vote goes: the production functions by themselves, one call after the other. */
export const parts: Bench = {
  names: ['disk', 'curve', 'nonces', 'aggregate', 'verify', 'stream', 'privval'].map((part) => `part/${part}`),
  run: async (context) => {
    await disk(context);
    await curve(context, await loadGroup());
    await stream(context);
  },
};

/** One durable watermark: the write that a share waits for. */
async function disk({ folder, effort, add }: BenchContext): Promise<void> {
  const binding = { chainId: 'part-1', groupPublicKey: new Uint8Array(32).fill(1) };
  const path = join(folder, 'part.watermark');
  await createState(nodeDisk, path, binding, neverSigned());
  const store = await WatermarkStore.open(nodeDisk, path, binding);
  const ballots = new Ballots(binding.chainId);
  const samples: number[] = [];
  for (let i = 0; i < effort.warmUp + effort.votes; i++) {
    const { canonical } = ballots.next();
    const { height, round, step } = canonical;
    const next = { height, round, step, signBytes: SignBytes.encode(canonical), fresh: false };
    const from = performance.now();
    await store.advance(next);
    samples.push(performance.now() - from);
  }
  await store.close();
  add(
    resultOf({ name: 'part/disk', unit: 'ms', samples: samples.slice(effort.warmUp), note: 'WatermarkStore.advance' }),
  );
}

/** One share of 2-of-3, the nonces for it, and the check of the whole signature. */
async function curve({ effort, add }: BenchContext, group: Group): Promise<void> {
  const key = generateConsensusKey(group, systemRandom);
  const dealt = dealKey(group, key, { chainId: 'part-1', threshold: 2, count: 3, random: systemRandom });
  const groupPublicKey = dealt.info.groupPublicKey;
  const signers = dealt.shares.slice(0, 2);
  const ballots = new Ballots('part-1');
  const times = { curve: [] as number[], nonces: [] as number[], aggregate: [] as number[], verify: [] as number[] };
  for (let i = 0; i < effort.warmUp + effort.votes; i++) {
    const message = SignBytes.encode(ballots.next().canonical).bytes;
    const made = signers.map(({ id, secretShare }) => ({
      ...{ id, secretShare },
      ...timed(times.nonces, () => generateNonces(group, secretShare, systemRandom)),
    }));
    const commitments = made.map(({ id, commitment }) => ({ id, ...commitment }));
    const shares = made.map(({ id, secretShare, nonces, commitment }) => {
      const input = { id, secretShare, groupPublicKey, nonces, ownCommitment: commitment, commitments, message };
      return timed(times.curve, () => signShare(group, input));
    });
    const { groupCommitment } = must(shares[0], 'two shares');
    const signature = timed(times.aggregate, () =>
      aggregate(
        group,
        groupCommitment,
        shares.map(({ share }) => share),
      ),
    );
    if (!timed(times.verify, () => verifySignature(groupPublicKey, message, signature)))
      throw new Error('a signature does not verify');
  }
  const after = (samples: readonly number[], each: number): readonly number[] => samples.slice(each * effort.warmUp);
  const notes = `libsodium: ${group.name}`;
  add(resultOf({ name: 'part/curve', unit: 'ms', samples: after(times.curve, 2), note: `signShare; ${notes}` }));
  add(resultOf({ name: 'part/nonces', unit: 'ms', samples: after(times.nonces, 2), note: 'off the path' }));
  add(resultOf({ name: 'part/aggregate', unit: 'ms', samples: after(times.aggregate, 1) }));
  add(
    resultOf({ name: 'part/verify', unit: 'ms', samples: after(times.verify, 1), note: 'verifySignature (OpenSSL)' }),
  );
}

/** A sign request's bytes there and an answer's back: on the stream of link and cosigner, and on a node's connection. */
async function stream({ effort, add }: BenchContext): Promise<void> {
  const echo = await startEcho();
  try {
    const run = async (name: string, note: string, once: () => Promise<void>): Promise<void> => {
      const samples: number[] = [];
      for (let i = 0; i < effort.warmUp + effort.votes; i++) {
        const from = performance.now();
        await once();
        samples.push(performance.now() - from);
      }
      add(resultOf({ name, unit: 'ms', samples: samples.slice(effort.warmUp), note }));
    };
    await run('part/stream', 'mTLS gRPC, another process answers at once', () => echo.overStream());
    await run('part/privval', 'SecretConnection, the session of another process answers at once', () =>
      echo.overPrivval(),
    );
  } finally {
    await echo.stop();
  }
}

function timed<T>(samples: number[], task: () => T): T {
  const from = performance.now();
  const result = task();
  samples.push(performance.now() - from);
  return result;
}
