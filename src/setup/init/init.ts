import { relative } from 'node:path';
import { parseNodeAddress } from '../../shared/config/node-address.js';
import { parseCosignerConfig } from '../../shared/config/cosigner-config.js';
import { parseSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { readConfigText } from '../../shared/config/toml-file.js';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { InvariantViolation } from '../../shared/invariant.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { dealKey, wipeShares } from '../keys/dealing.js';
import { generateConsensusKey, wipeKey } from '../keys/priv-validator-key.js';
import { markPath } from '../../shared/watermark/state-mark.js';
import { neverSigned, type Watermark } from '../../shared/watermark/watermark.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { checkAgrees, checkNewChain, findCluster, type Cluster } from './cluster.js';
import { writeChainFiles, writeCluster, type InitDeps, type NewChain } from './cluster-files.js';
import { exists } from '../durable-files.js';
import { checkRequest, checkThreshold, planCluster, type ClusterPlan, type InitRequest } from './request.js';
import { addWhole, createWhole, recover, type Journal, type Recovery } from './staging.js';
import { cosignerChainToml, sentryLinkChainToml } from './toml-text.js';

export interface InitResult {
  readonly dir: string;
  readonly plan: ClusterPlan;
  readonly info: GroupInfo;
  /** Addresses of the chain's nodes as they are dialled. */
  readonly nodes: readonly string[];
  /** Names of the process folders in `dir`. */
  readonly folders: readonly string[];
  readonly addedToCluster: boolean;
  readonly generatedKey: boolean;
  /** Where the watermarks start. */
  readonly start: Watermark;
  readonly recovery: Recovery;
}

/**
 * Makes the folders of a cluster in `dir`, or adds a chain to those that are there: all of it or nothing. Deals the key,
 * or one made here that is whole only while this runs. Throws USAGE, NODE_ADDRESS_INVALID, WATERMARK_START_MISSING,
 * THRESHOLD_UNSAFE, CHAIN_EXISTS, CLUSTER_MISMATCH, DIR_NOT_EMPTY, CONFIG_INVALID, INIT_RUNNING or WRITE_FAILED.
 */
export async function initCluster(request: InitRequest, deps: InitDeps): Promise<InitResult> {
  checkRequest(request, request.key !== undefined);
  try {
    const recovery = await recover(request.dir);
    const cluster = await findCluster(request.dir);
    if (cluster !== undefined) {
      checkAgrees(cluster, request);
      await checkNewChain(cluster, request.chainId);
    }
    const plan = cluster?.plan ?? planCluster(request);
    checkThreshold(plan.threshold, plan.cosigners.length);
    const start = request.start ?? neverSigned();
    const nodes = request.nodes.map((node) => parseNodeAddress(node).text);
    const info = await dealAndWrite({ ...request, start, nodes }, plan, cluster, deps);
    const [addedToCluster, generatedKey] = [cluster !== undefined, request.key === undefined];
    const folders = processNames(plan);
    return { dir: request.dir, plan, info, nodes, folders, addedToCluster, generatedKey, start, recovery };
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    throw new HekateError('WRITE_FAILED', `${request.dir} was not written: ${messageOf(error)}`, { cause: error });
  }
}

async function dealAndWrite(
  request: InitRequest & { readonly start: Watermark },
  plan: ClusterPlan,
  cluster: Cluster | undefined,
  deps: InitDeps,
): Promise<GroupInfo> {
  const { dir, chainId, nodes } = request;
  const group = await loadGroup();
  const key = request.key ?? generateConsensusKey(group, deps.random);
  const { threshold } = plan;
  const dealt = dealKey(group, key, { chainId, threshold, count: plan.cosigners.length, random: deps.random });
  if (request.key === undefined) wipeKey(key);
  try {
    const chain: NewChain = { dealt, start: request.start, nodes, maxHeightsPerSecond: request.maxHeightsPerSecond };
    if (cluster !== undefined) await addChains(cluster, [chain], deps);
    else if (await exists(dir)) {
      const names = processNames(plan);
      await addWhole(dir, (root) => writeCluster(root, dir, plan, chain, deps), {
        chainId,
        moves: [...names, paths.README_FILE],
        appends: [],
      });
    } else await createWhole(dir, (root) => writeCluster(root, dir, plan, chain, deps));
  } finally {
    wipeShares(dealt);
  }
  return dealt.info;
}

/** Adds chains to the folders of a cluster, all of them or none. Throws CONFIG_INVALID, CHAIN_EXISTS or INIT_RUNNING. */
export async function addChains(cluster: Cluster, chains: readonly NewChain[], deps: InitDeps): Promise<void> {
  const { dir, plan } = cluster;
  const appends = [];
  for (const { file, home } of cluster.cosigners) {
    const text = chains.map((chain) =>
      cosignerChainToml(chain.dealt.info.chainId, chain.maxHeightsPerSecond, chain.bech32Prefix),
    );
    await parseCosignerConfig(home, file, await readConfigText(file), text.join(''));
    appends.push({ file: relative(dir, file), text: text.join('') });
  }
  for (const { file, home } of cluster.links) {
    const text = chains.map((chain) => sentryLinkChainToml(chain.dealt.info.chainId, chain.nodes, chain.bech32Prefix));
    await parseSentryLinkConfig(home, file, await readConfigText(file), text.join(''));
    appends.push({ file: relative(dir, file), text: text.join('') });
  }
  const ids = chains.map(({ dealt }) => dealt.info.chainId);
  const journal: Journal = { chainId: ids.join(', '), moves: ids.flatMap((id) => chainPaths(plan, id)), appends };
  const write = async (root: string): Promise<void> => {
    for (const chain of chains) await writeChainFiles(root, plan.links, chain, deps.disk);
  };
  await addWhole(dir, write, journal);
}

/** What a chain adds, relative to the cluster's folder. */
function chainPaths(plan: ClusterPlan, chainId: string): string[] {
  const ofCosigners = paths.cosignerNames(plan.cosigners.length).flatMap((home) => {
    const state = paths.watermarkFile(home, chainId);
    return [paths.chainFolder(home, chainId), markPath(state), state];
  });
  const ofLinks = paths.sentryLinkNames(plan.links).map((home) => paths.chainFolder(home, chainId));
  return [...ofCosigners, ...ofLinks];
}

function processNames(plan: ClusterPlan): string[] {
  return [...paths.cosignerNames(plan.cosigners.length), ...paths.sentryLinkNames(plan.links)];
}
