import { promises as fsp } from 'node:fs';
import { loadCosignerConfig, type CosignerConfig } from '../../shared/config/cosigner-config.js';
import { formatHostPort, type HostPort } from '../../shared/config/host-port.js';
import { loadSentryLinkConfig, type SentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { HekateError } from '../../shared/errors.js';
import { must } from '../../shared/invariant.js';
import { diskErrorCode } from '../../shared/ports/disk-error.js';
import { loadGroupFile, sameGroup, type GroupInfo } from '../../shared/home/group-file.js';
import {
  chainFolder,
  COSIGNER_CONFIG_FILE,
  cosignerName,
  groupFile,
  SENTRY_LINK_CONFIG_FILE,
  sentryLinkName,
  watermarkFile,
} from '../../shared/home/paths.js';
import { exists } from '../durable-files.js';
import { findNumberedHomes } from '../find-homes.js';
import { findMixedHomes } from '../keys/verify-homes.js';
import type { AskedShape, ClusterPlan } from './request.js';

/** The folders of a cluster, all in one place, as init made them. */
export interface Cluster {
  readonly dir: string;
  /** By id. */
  readonly cosigners: readonly CosignerConfig[];
  readonly links: readonly SentryLinkConfig[];
  readonly plan: ClusterPlan;
}

/** The cluster in a folder, or undefined when the folder is empty or not there. Throws DIR_NOT_EMPTY, CLUSTER_MISMATCH, CONFIG_INVALID. */
export async function findCluster(dir: string): Promise<Cluster | undefined> {
  const names = await listFolder(dir);
  if (names.length === 0) return undefined;
  const cosigners: CosignerConfig[] = [];
  for (const home of await findNumberedHomes(dir, cosignerName, COSIGNER_CONFIG_FILE))
    cosigners.push(await loadCosignerConfig(home));
  const links: SentryLinkConfig[] = [];
  for (const home of await findNumberedHomes(dir, sentryLinkName, SENTRY_LINK_CONFIG_FILE))
    links.push(await loadSentryLinkConfig(home));
  if (cosigners.length === 0 && links.length === 0)
    throw new HekateError('DIR_NOT_EMPTY', `${dir} holds something else (${names.slice(0, 3).join(', ')})`);
  checkComplete(dir, cosigners, links);
  await checkNotMixed(dir, [...cosigners, ...links]);
  const reference = must(links[0], 'a complete cluster has a link');
  const threshold = await commonThreshold(cosigners);
  const addresses = reference.cosigners.map(({ address }) => address);
  const listen = cosigners.map((cosigner) => cosigner.listen);
  return { dir, cosigners, links, plan: { threshold, cosigners: addresses, listen, links: links.length } };
}

/** Throws CLUSTER_MISMATCH when the request says something else than the cluster. */
export function checkAgrees({ plan, dir }: Cluster, request: AskedShape): void {
  const differs = (what: string, asked: unknown, found: unknown): HekateError =>
    new HekateError(
      'CLUSTER_MISMATCH',
      `${what} ${String(asked)} was asked for, but the cluster in ${dir} has ${String(found)}`,
      {
        fix: `leave out what the cluster already has, or choose another folder`,
      },
    );
  if (request.threshold !== undefined && request.threshold !== plan.threshold)
    throw differs('a threshold of', request.threshold, plan.threshold);
  if (request.links !== undefined && request.links !== plan.links)
    throw differs('a number of sentry-links of', request.links, plan.links);
  const addresses: readonly (readonly [string, readonly HostPort[] | undefined, readonly HostPort[]])[] = [
    ['cosigners at', request.cosigners, plan.cosigners],
    ['cosigners that listen on', request.listen, plan.listen],
  ];
  for (const [what, asked, found] of addresses) {
    const [wanted, there] = [asked?.map(formatHostPort).join(' '), found.map(formatHostPort).join(' ')];
    if (wanted !== undefined && wanted !== there) throw differs(what, wanted, there);
  }
}

/** Throws CHAIN_EXISTS when any process of the cluster knows the chain or has files of it. */
export async function checkNewChain(cluster: Cluster, chainId: string): Promise<void> {
  for (const { home, chains } of [...cluster.cosigners, ...cluster.links]) {
    if (chains.some(({ id }) => id === chainId))
      throw new HekateError('CHAIN_EXISTS', `chain ${chainId} is already in ${home}`);
    for (const path of [chainFolder(home, chainId), watermarkFile(home, chainId)])
      if (await exists(path)) throw new HekateError('CHAIN_EXISTS', `${path} is already there`);
  }
}

function checkComplete(dir: string, cosigners: readonly CosignerConfig[], links: readonly SentryLinkConfig[]): void {
  const mismatch = (problem: string): HekateError => new HekateError('CLUSTER_MISMATCH', `${dir}: ${problem}`);
  const reference = links[0];
  if (reference === undefined) throw mismatch('there is no sentry-link-1 beside the cosigners');
  if (cosigners.length !== reference.cosigners.length)
    throw mismatch(`${reference.name} knows ${reference.cosigners.length} cosigners, ${cosigners.length} are here`);
  cosigners.forEach((cosigner, i) => {
    if (cosigner.id !== i + 1) throw mismatch(`the folder ${cosignerName(i + 1)} is that of cosigner ${cosigner.id}`);
    const known = cosigner.links.length;
    if (known !== links.length)
      throw mismatch(`${cosignerName(i + 1)} knows ${known} sentry-links, ${links.length} are here`);
  });
  for (const link of links) {
    if (describe(link.cosigners) !== describe(reference.cosigners))
      throw mismatch(`${link.name} has other cosigners than ${reference.name}`);
  }
}

/** What lies here must belong together already: a chain that is added to a mixture is dealt, and then cannot be used. */
async function checkNotMixed(dir: string, homes: readonly (CosignerConfig | SentryLinkConfig)[]): Promise<void> {
  const mismatch = (problem: string): HekateError =>
    new HekateError('CLUSTER_MISMATCH', `${dir}: ${problem}`, {
      fix: `put back what belongs to each home; \`hekate keys verify ${dir}\` tells what does not`,
    });
  const groups = new Map<string, { readonly path: string; readonly info: GroupInfo }>();
  for (const { home, chains } of homes)
    for (const { id } of chains) {
      const path = groupFile(home, id);
      const info = await loadGroupFile(path, id);
      const first = groups.get(id);
      if (first !== undefined && !sameGroup(first.info, info))
        throw mismatch(`${path} is of another dealing than ${first.path}`);
      groups.set(id, first ?? { path, info });
    }
  // A certificate may be on its host only.
  const shown: string[] = [];
  for (const { home, tls } of homes) if (await exists(tls.certificate)) shown.push(home);
  const [problem] = await findMixedHomes(shown);
  if (problem !== undefined) throw mismatch(`${problem.folder}: ${problem.text}`);
}

function describe(
  cosigners: readonly { readonly id: number; readonly address: HostPort; readonly pin: string }[],
): string {
  return cosigners.map(({ id, address, pin }) => `${id} ${formatHostPort(address)} ${pin}`).join('\n');
}

async function commonThreshold(cosigners: readonly CosignerConfig[]): Promise<number> {
  const thresholds = new Set<number>();
  for (const { home, chains } of cosigners)
    for (const { id } of chains) thresholds.add((await loadGroupFile(groupFile(home, id), id)).threshold);
  const [threshold, other] = thresholds;
  if (threshold !== undefined && other === undefined) return threshold;
  throw new HekateError(
    'CLUSTER_MISMATCH',
    `the chains of this cluster have thresholds ${[...thresholds].join(' and ')}`,
  );
}

async function listFolder(dir: string): Promise<readonly string[]> {
  try {
    return await fsp.readdir(dir);
  } catch (error) {
    const code = diskErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new HekateError('DIR_NOT_EMPTY', `${dir} is not a folder`);
    throw error;
  }
}
