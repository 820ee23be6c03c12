import { HekateError, isHekateError, messageOf } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { cosignerName } from '../../../shared/home/paths.js';
import { invariant, InvariantViolation, must } from '../../../shared/invariant.js';
import { accessDenied } from '../../../shared/ports/access-denied.js';
import { exists } from '../../durable-files.js';
import { writeChainFiles, type InitDeps } from '../../init/cluster-files.js';
import { createWhole } from '../../init/staging.js';
import { checkOwn } from '../key-shares.js';
import type { MigrationPlan } from '../plan.js';

export interface ShardHomes {
  readonly dir: string;
  /** "cosigner-2": parts of the homes of these cosigners are below `dir`. */
  readonly names: readonly string[];
  readonly written: readonly string[];
}

/**
 * Writes what this host's shards become, and nothing of other hosts: DIR/cosigner-N with chains/ and state/, the parts of a home that
 * others set up. All of it or nothing. Throws DIR_NOT_EMPTY, ACCESS_DENIED, INIT_RUNNING and WRITE_FAILED.
 */
export async function writeShardHomes(plan: MigrationPlan, dir: string, deps: InitDeps): Promise<ShardHomes> {
  if (await exists(dir))
    throw new HekateError('DIR_NOT_EMPTY', `${dir} is already there`, {
      fix: 'choose a folder that does not exist yet; remove that one only where nothing of it has been used',
    });
  const group = await loadGroup();
  const names = new Set<string>();
  try {
    await createWhole(dir, async (root) => {
      for (const { key, nodes, start } of plan.chains) {
        invariant('dealt' in key, 'a shard is written where there are shards');
        checkOwn(group, key);
        for (const { id } of key.dealt.shares) names.add(cosignerName(id));
        const known = must(start, 'a plan that nothing stands against says where each watermark starts').start;
        const chain = { dealt: key.dealt, start: known, nodes, maxHeightsPerSecond: undefined };
        await writeChainFiles(root, 0, chain, deps.disk);
      }
    });
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    throw (
      accessDenied(error) ??
      new HekateError('WRITE_FAILED', `${dir} was not written: ${messageOf(error)}`, { cause: error })
    );
  }
  return { dir, names: [...names].sort(), written: plan.chains.map(({ chainId }) => chainId) };
}
