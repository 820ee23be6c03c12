import { promises as fsp } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, wipe } from '../../shared/bytes.js';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { loadGroupFile, sameGroup } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { encodeSecret } from '../../shared/home/secret-file.js';
import { InvariantViolation, must } from '../../shared/invariant.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { createFile } from '../../shared/ports/durable-file.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import { readState } from '../../shared/watermark/state-mark.js';
import { compareHrs, describePlace } from '../../shared/watermark/watermark.js';
import { exists } from '../durable-files.js';
import { checkAgrees, checkNewChain, findCluster, type Cluster } from '../init/cluster.js';
import { writeCluster, type InitDeps, type NewChain } from '../init/cluster-files.js';
import { addChains } from '../init/init.js';
import type { ClusterPlan } from '../init/request.js';
import { checkThreshold } from '../init/request.js';
import { createWhole, recover } from '../init/staging.js';
import { wipeShares } from '../keys/dealing.js';
import { sharesFor } from './key-shares.js';
import type { MigrationPlan, PlannedChain } from './plan.js';

/** Where a migration is written to: folders of a new cluster, or those of one that is there. */
export type Target =
  | { readonly kind: 'new'; readonly dir: string; readonly shape: ClusterPlan }
  | { readonly kind: 'into'; readonly dir: string };

export interface ApplyRequest {
  readonly target: Target;
  readonly maxHeightsPerSecond: number | undefined;
  /** Seed of the key that the old signer shows to nodes, for the sentry-links of a new cluster. The caller wipes it. */
  readonly identitySeed: Uint8Array | undefined;
}

export interface Applied {
  readonly shape: ClusterPlan;
  /** Chains that were written, and those that were there already with the same key. */
  readonly written: readonly string[];
  readonly there: readonly string[];
}

/**
 * Deals the keys of a plan that nothing stands against, and writes what comes of it: all of it or nothing. What is there already
 * with the same key stays as it is. Throws what `initCluster` throws, and WATERMARK_START_CONTRADICTED where the old signer has
 * signed on since.
 */
export async function applyMigration(plan: MigrationPlan, request: ApplyRequest, deps: InitDeps): Promise<Applied> {
  const { dir } = request.target;
  try {
    await recover(dir);
    const cluster = await findCluster(dir);
    const there = cluster === undefined ? [] : await chainsThere(cluster, plan.chains, deps);
    const missing = plan.chains.filter((chain) => !there.includes(chain.chainId));
    const written = missing.map(({ chainId }) => chainId);
    const shape = cluster?.plan ?? shapeOf(request.target);
    checkThreshold(shape.threshold, shape.cosigners.length);
    if (cluster !== undefined && request.target.kind === 'new') checkAgrees(cluster, request.target.shape);
    if (missing.length === 0) return { shape, written, there };
    if (cluster !== undefined && request.target.kind === 'new')
      throw new HekateError('DIR_NOT_EMPTY', `${dir} is a cluster already, without ${written.join(' and ')}`, {
        fix: `write --into ${dir} to add to it, or choose another folder`,
      });
    for (const chainId of written) if (cluster !== undefined) await checkNewChain(cluster, chainId);
    await dealAndWrite(missing, shape, cluster, request, deps);
    return { shape, written, there };
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    throw (
      accessDenied(error) ??
      new HekateError('WRITE_FAILED', `${dir} was not written: ${messageOf(error)}`, { cause: error })
    );
  }
}

function shapeOf(target: Target): ClusterPlan {
  if (target.kind === 'new') return target.shape;
  throw new HekateError('NO_HOME', `there is no cluster in ${target.dir}`, {
    fix: 'give the folder that holds the folders of all processes, or --out to make a new one',
  });
}

/** Those of the chains that the cluster has already, with the same key. Throws CHAIN_EXISTS for another key. */
async function chainsThere(
  cluster: Cluster,
  chains: readonly PlannedChain[],
  deps: InitDeps,
): Promise<readonly string[]> {
  const there: string[] = [];
  for (const chain of chains) {
    const { chainId, key } = chain;
    const homes = [...cluster.cosigners, ...cluster.links];
    if (!homes.every((home) => home.chains.some(({ id }) => id === chainId))) continue;
    for (const { home } of homes) {
      const group = await loadGroupFile(paths.groupFile(home, chainId), chainId);
      if (!equalBytes(group.groupPublicKey, key.publicKey))
        throw new HekateError('CHAIN_EXISTS', `chain ${chainId} is already in ${home}, with another key`);
      if ('dealt' in key && !sameGroup(group, key.dealt.info))
        throw new HekateError('CHAIN_EXISTS', `chain ${chainId} is already in ${home}, with other shares of this key`);
      await checkNotBelow(home, chain, deps);
    }
    there.push(chainId);
  }
  return there;
}

/** A state that is on its host by now is not here, and is no longer ours to judge. */
async function checkNotBelow(
  home: string,
  { chainId, key, lastSigned }: PlannedChain,
  { disk }: InitDeps,
): Promise<void> {
  const path = paths.watermarkFile(home, chainId);
  if (lastSigned === undefined || !(await exists(path))) return;
  const { watermark } = await readState(disk, path, { chainId, groupPublicKey: key.publicKey });
  if (compareHrs(watermark, lastSigned) >= 0) return;
  throw new HekateError(
    'WATERMARK_START_CONTRADICTED',
    `${path} is at ${describePlace(watermark)}, and the old signer has signed ${describePlace(lastSigned)} since`,
    {
      fix:
        'where nothing of that cluster has run, remove its folder and run this again; otherwise stop each cosigner and raise it: ' +
        `hekate state init HOME --chain-id ${chainId} --height ${lastSigned.height} --replace`,
    },
  );
}

async function dealAndWrite(
  chains: readonly PlannedChain[],
  shape: ClusterPlan,
  cluster: Cluster | undefined,
  { target, maxHeightsPerSecond, identitySeed }: ApplyRequest,
  deps: InitDeps,
): Promise<void> {
  const group = await loadGroup();
  const dealt: NewChain[] = [];
  try {
    for (const { chainId, key, nodes, start, bech32Prefix } of chains) {
      const options = { chainId, threshold: shape.threshold, count: shape.cosigners.length, random: deps.random };
      dealt.push({
        ...{ dealt: sharesFor(group, key, options), nodes, maxHeightsPerSecond, bech32Prefix },
        start: must(start, 'a plan that nothing stands against says where each watermark starts').start,
      });
    }
    if (cluster !== undefined) return await addChains(cluster, dealt, deps);
    await createWhole(target.dir, async (root) => {
      const [first, ...others] = dealt;
      await writeCluster(root, target.dir, shape, must(first, 'a migration has a chain'), deps);
      if (others.length > 0) await addChains(must(await findCluster(root), 'it was just written'), others, deps);
      if (identitySeed !== undefined) await takeOverIdentity(root, shape.links, identitySeed);
    });
  } finally {
    for (const chain of dealt) wipeShares(chain.dealt);
  }
}

/** All of them: one link at a time shows it to a node. */
async function takeOverIdentity(root: string, links: number, seed: Uint8Array): Promise<void> {
  for (const name of paths.sentryLinkNames(links)) {
    const path = join(root, name, paths.NODE_IDENTITY_FILE);
    const contents = encodeSecret(seed);
    await fsp.rm(path);
    await createFile(path, contents, MODE_PRIVATE).finally(() => wipe(contents));
  }
}
