import { isIPv4 } from 'node:net';
import { MAX_COSIGNERS, MAX_LINKS } from '../../shared/coordination/limits.js';
import { chainIdProblem } from '../../shared/config/chain-id.js';
import { formatHostPort, isLoopback, whyNotToConnect, type HostPort } from '../../shared/config/host-port.js';
import { isSameNode, parseNodeAddress } from '../../shared/config/node-address.js';
import { HekateError } from '../../shared/errors.js';
import type { ConsensusKey } from '../keys/priv-validator-key.js';
import type { Watermark } from '../../shared/watermark/watermark.js';

/** Links that init makes when it is not told: one beside each cosigner, up to this many. */
const USUAL_LINKS = 3;

/** What `hekate init` is asked for. Undefined threshold, cosigners and links are taken from the cluster that is there. */
export interface InitRequest {
  readonly dir: string;
  readonly chainId: string;
  readonly nodes: readonly string[];
  /** Undefined: a new key is made. Otherwise the caller's to wipe. */
  readonly key: ConsensusKey | undefined;
  /** Where the watermark of a given key starts. */
  readonly start: Watermark | undefined;
  readonly threshold: number | undefined;
  /** Addresses by which sentry-links reach the cosigners, in the order of their ids. */
  readonly cosigners: readonly HostPort[] | undefined;
  /** Where each cosigner listens, where that is another address than the one it is reached by (NAT, a container, a tunnel). */
  readonly listen?: readonly HostPort[] | undefined;
  readonly links: number | undefined;
  /** For cosigner.toml; undefined: the usual one. */
  readonly maxHeightsPerSecond?: number | undefined;
}

/** What a request may say of the shape of its cluster. */
export type AskedShape = Pick<InitRequest, 'threshold' | 'links' | 'cosigners' | 'listen'>;

/** The shape of a cluster: t, n addresses by which cosigners are reached and on which they listen, number of links. */
export interface ClusterPlan {
  readonly threshold: number;
  readonly cosigners: readonly HostPort[];
  readonly listen: readonly HostPort[];
  readonly links: number;
}

/** Checks what does not depend on the disk. Throws USAGE, NODE_ADDRESS_INVALID or WATERMARK_START_MISSING. */
export function checkRequest(request: Omit<InitRequest, 'key'>, hasKey: boolean): void {
  const problem = chainIdProblem(request.chainId);
  if (problem !== undefined) throw new HekateError('USAGE', problem);
  if (request.nodes.length === 0) throw new HekateError('USAGE', 'no node was given', { fix: 'add --node ADDR' });
  const nodes = request.nodes.map((node) => parseNodeAddress(node));
  if (nodes.some((node, at) => nodes.slice(0, at).some((other) => isSameNode(other, node))))
    throw new HekateError('USAGE', 'a node was given twice');
  if (hasKey && request.start === undefined)
    throw new HekateError(
      'WATERMARK_START_MISSING',
      'a key that exists may have signed before: without knowing where, it could sign twice and be slashed',
    );
  if (!hasKey && request.start !== undefined)
    throw new HekateError('USAGE', 'a watermark start was given without --key: a new key has never signed', {
      fix: 'add --key FILE, or leave out --state, --height and --never-signed',
    });
}

/** The plan of a new cluster. Throws USAGE or THRESHOLD_UNSAFE. */
export function planCluster({ threshold, cosigners = [], listen, links }: AskedShape): ClusterPlan {
  if (cosigners.length === 0)
    throw new HekateError('USAGE', 'no cosigner was given', { fix: 'add --cosigner HOST:PORT for each' });
  if (threshold === undefined) throw new HekateError('USAGE', 'no threshold was given', { fix: 'add --threshold T' });
  checkThreshold(threshold, cosigners.length);
  checkCosigners(cosigners);
  if (listen !== undefined) checkListen(listen, cosigners.length);
  const count = links ?? Math.min(cosigners.length, USUAL_LINKS);
  if (!Number.isInteger(count) || count < 1 || count > MAX_LINKS)
    throw new HekateError('USAGE', `${count} sentry-links are not possible`, { fix: `give 1 to ${MAX_LINKS}` });
  return { threshold, cosigners, listen: listen ?? cosigners.map(listenFor), links: count };
}

/** Throws THRESHOLD_UNSAFE unless n/2 < t ≤ n ≤ 32 and n ≥ 2: two disjoint quorums could sign two blocks (invariant 1). */
export function checkThreshold(threshold: number, count: number): void {
  const unsafe = (problem: string): HekateError => new HekateError('THRESHOLD_UNSAFE', problem);
  if (count > MAX_COSIGNERS) throw unsafe(`${count} cosigners are more than ${MAX_COSIGNERS}`);
  if (count < 2) throw unsafe('one cosigner alone would hold the whole key');
  if (!Number.isInteger(threshold) || threshold > count) throw unsafe(`${threshold} of ${count} can never sign`);
  if (threshold * 2 <= count)
    throw unsafe(
      `with ${threshold} of ${count} two groups that know nothing of each other could sign different blocks`,
    );
}

function checkCosigners(cosigners: readonly HostPort[]): void {
  const seen = new Set<string>();
  for (const address of cosigners) {
    const text = formatHostPort(address);
    const problem = whyNotToConnect(address);
    if (problem !== undefined)
      throw new HekateError('USAGE', `no cosigner can be at ${text}: ${problem}`, {
        fix: 'give the address by which sentry-links reach this cosigner',
      });
    if (seen.has(text)) throw new HekateError('USAGE', `two cosigners cannot both be at ${text}`);
    seen.add(text);
  }
}

function checkListen(listen: readonly HostPort[], count: number): void {
  if (listen.length !== count)
    throw new HekateError('USAGE', `--listen names ${listen.length} addresses for ${count} cosigners`, {
      fix: 'give one for each --cosigner, in the same order',
    });
  if (listen.some(({ port }) => port === 0))
    throw new HekateError('USAGE', 'a cosigner cannot listen on port 0: links would not know where', {
      fix: 'give the port that is forwarded to this cosigner',
    });
}

/**
 * Where a cosigner listens that others reach at `address`: everywhere, unless it is for this machine only. A name may have
 * addresses of either kind, so that one takes both.
 */
function listenFor(address: HostPort): HostPort {
  if (isLoopback(address.host)) return address;
  return { host: isIPv4(address.host) ? '0.0.0.0' : '::', port: address.port };
}
