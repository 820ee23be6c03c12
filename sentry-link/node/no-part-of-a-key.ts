import { equalBytes } from '../../src/shared/bytes.js';
import { HekateError } from '../../src/shared/errors.js';
import { isCanonicalScalar, isZero, type Group } from '../../src/shared/frost/group.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import type { ServedChain } from '../assembly.js';

const FIX =
  'take this file off this host, and put back the node-identity.key that `hekate init` made for this home; a link needs no key';

/**
 * A share.key and a validator's seed look like a node-identity.key, 64 hex digits each, and would do as one: then a link would
 * hold a part of the key, or all of it. `publicKey` is that of `seed`, which came from `path`. Throws IDENTITY_INVALID.
 */
export function checkIsNoPartOfAKey(
  { path, seed, publicKey }: { readonly path: string; readonly seed: Uint8Array; readonly publicKey: Uint8Array },
  chains: readonly Pick<ServedChain, 'chainId' | 'key'>[],
  group: Group,
): void {
  const point = isCanonicalScalar(seed) && !isZero(seed) ? group.baseMult(seed) : undefined;
  for (const { chainId, key } of chains) {
    if (equalBytes(publicKey, key.publicKey))
      throw partOfAKey(`${path} is the whole key of the validator of chain ${chainId}`);
    if (point === undefined) continue;
    for (const [id, share] of key.verificationShares)
      if (equalBytes(point, share))
        throw partOfAKey(`${path} is the share of ${cosignerName(id)} for chain ${chainId}`);
  }
}

function partOfAKey(problem: string): HekateError {
  return new HekateError('IDENTITY_INVALID', problem, { fix: FIX });
}
