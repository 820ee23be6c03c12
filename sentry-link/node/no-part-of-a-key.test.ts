import { expect, it } from 'vitest';
import { isHekateError } from '../../src/shared/errors.js';
import { verificationShare } from '../../src/shared/frost/feldman.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { must } from '../../src/shared/invariant.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { dealKey, type DealtKey } from '../../src/setup/keys/dealing.js';
import { generateConsensusKey } from '../../src/setup/keys/priv-validator-key.js';
import { checkIsNoPartOfAKey } from './no-part-of-a-key.js';

const group = await loadGroup();
const keys = [generateConsensusKey(group, systemRandom), generateConsensusKey(group, systemRandom)] as const;
const dealt = keys.map((key, i) =>
  dealKey(group, key, { chainId: `test-${i + 1}`, threshold: 2, count: 3, random: systemRandom }),
);
const chains = dealt.map(({ info }) => ({
  chainId: info.chainId,
  key: {
    publicKey: info.groupPublicKey,
    verificationShares: new Map([1, 2, 3].map((id) => [id, verificationShare(group, info.commitments, id)])),
  },
}));
const shareOf = ({ shares }: DealtKey, id: number): Uint8Array => must(shares[id - 1], 'a share').secretShare;
const elsewhere = dealKey(group, keys[0], { chainId: 'test-1', threshold: 2, count: 3, random: systemRandom });

it.each<[string, Uint8Array, string]>([
  ['a seed of its own', systemRandom(32), 'taken'],
  ['zero', new Uint8Array(32), 'taken'],
  ['no scalar', new Uint8Array(32).fill(0xff), 'taken'],
  ['a share of another dealing', shareOf(elsewhere, 1), 'taken'],
  ['the first share', shareOf(must(dealt[0], 'two'), 1), 'PATH is the share of cosigner-1 for chain test-1'],
  [
    'the last share of the last chain',
    shareOf(must(dealt[1], 'two'), 3),
    'is the share of cosigner-3 for chain test-2',
  ],
  ['the whole key of the last chain', keys[1].seed, 'is the whole key of the validator of chain test-2'],
])('an identity for nodes that is %s', (_name, seed, expected) => {
  let found = 'taken';
  try {
    checkIsNoPartOfAKey({ path: 'PATH', seed, publicKey: identityFromSeed(seed).publicKey }, chains, group);
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'IDENTITY_INVALID') throw error;
    found = error.message;
  }
  expect(found).toContain(expected);
});
