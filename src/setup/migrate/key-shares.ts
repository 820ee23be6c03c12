import { HekateError } from '../../shared/errors.js';
import { checkShare } from '../../shared/frost/feldman.js';
import type { Group } from '../../shared/frost/group.js';
import { invariant } from '../../shared/invariant.js';
import { dealSecret, type DealingOptions, type DealtKey } from '../keys/dealing.js';
import type { AnyKey, SharedKey } from './old-signer.js';

/** The shares of a whole key, dealt now; or those that it has, all of them. Throws CLUSTER_MISMATCH and SHARDS_TOO_FEW. */
export function sharesFor(group: Group, key: AnyKey, options: DealingOptions): DealtKey {
  if ('secret' in key) return dealSecret(group, key, options);
  const { threshold, count, chainId } = options;
  const { info, shares } = key.dealt;
  if (info.threshold !== threshold || info.count !== count)
    throw new HekateError(
      'CLUSTER_MISMATCH',
      `the key of ${chainId} has ${info.count} shares of which ${info.threshold} sign, and the cluster has ${count} cosigners of which ${threshold} sign`,
      {
        fix: `take --threshold ${info.threshold} and ${info.count} cosigners: shares stay as they were dealt; another number takes a new dealing, with the whole key`,
      },
    );
  if (shares.length < count)
    throw new HekateError(
      'SHARDS_TOO_FEW',
      `shares ${missingOf(info.count, shares)} of ${chainId} are not here, and folders of all cosigners were asked for`,
      { fix: 'bring them, or write the folder of each on its own host, with --shard' },
    );
  checkOwn(group, key);
  return key.dealt;
}

/** What was put together of public points must fit the shares that are here. */
export function checkOwn(group: Group, { dealt }: SharedKey): void {
  for (const { id, secretShare } of dealt.shares)
    invariant(
      checkShare(group, dealt.info.commitments, id, secretShare),
      'a share lies on the polynomial of its points',
    );
}

function missingOf(count: number, shares: DealtKey['shares']): string {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  return all.filter((id) => !shares.some((share) => share.id === id)).join(' and ');
}
