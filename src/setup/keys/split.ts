import { join } from 'node:path';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { chainIdProblem } from '../../shared/config/chain-id.js';
import { InvariantViolation } from '../../shared/invariant.js';
import { dealKey, wipeShares } from './dealing.js';
import type { ConsensusKey } from './priv-validator-key.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import { writeShares } from '../init/cluster-files.js';
import { exists } from '../durable-files.js';
import { checkThreshold } from '../init/request.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { createWhole } from '../init/staging.js';

export interface SplitRequest {
  readonly out: string;
  readonly chainId: string;
  readonly key: ConsensusKey;
  readonly threshold: number;
  readonly count: number;
}

/**
 * Deals a key into OUT/cosigner-1 … cosigner-n, each with chains/<chain>/group.json and share.key: the parts of homes that
 * other tools set up. All or nothing. Throws USAGE, THRESHOLD_UNSAFE, DIR_NOT_EMPTY,
 * INIT_RUNNING or WRITE_FAILED.
 */
export async function splitKey(request: SplitRequest, random: RandomBytes): Promise<GroupInfo> {
  const { out, chainId, key, threshold, count } = request;
  const problem = chainIdProblem(chainId);
  if (problem !== undefined) throw new HekateError('USAGE', problem);
  checkThreshold(threshold, count);
  if (await exists(out))
    throw new HekateError('DIR_NOT_EMPTY', `${out} is already there`, {
      fix: 'choose a folder that does not exist yet',
    });
  const dealt = dealKey(await loadGroup(), key, { chainId, threshold, count, random });
  try {
    await createWhole(join(out), (root) => writeShares(root, dealt));
    return dealt.info;
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    throw new HekateError('WRITE_FAILED', `${out} was not written: ${messageOf(error)}`, { cause: error });
  } finally {
    wipeShares(dealt);
  }
}
