import { basename, dirname, join, relative } from 'node:path';
import { equalBytes, wipe } from '../../shared/bytes.js';
import { parseCosignerConfig } from '../../shared/config/cosigner-config.js';
import { nodeKey, parseNodeAddress } from '../../shared/config/node-address.js';
import { parseSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { readConfigText } from '../../shared/config/toml-file.js';
import { HekateError } from '../../shared/errors.js';
import type { Group } from '../../shared/frost/group.js';
import { checkAllCosigners, checkOtherCosigners } from '../../shared/home/cosigners-of-group.js';
import { encodeGroup, loadGroupFile, sameGroup, type GroupInfo } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { ownerOf, readShare } from '../../shared/home/share-file.js';
import { createFile } from '../../shared/ports/durable-file.js';
import { markPath } from '../../shared/watermark/state-mark.js';
import type { Watermark } from '../../shared/watermark/watermark.js';
import { exists, makeFolder, MODE_PUBLIC } from '../durable-files.js';
import { changeHome, type AnyHome, type CosignerHome, type LinkHome } from '../home/change-home.js';
import { writeSecretFile, type InitDeps } from '../init/cluster-files.js';
import { addWhole, recover } from '../init/staging.js';
import { cosignerChainToml, sentryLinkChainToml } from '../init/toml-text.js';
import { createState } from '../state-init.js';

export interface ChainRequest {
  readonly info: GroupInfo;
  /** A file with this host's share; of a cosigner alone. */
  readonly share: string | undefined;
  /** Where the watermark starts; of a cosigner alone. */
  readonly start: Watermark | undefined;
  readonly maxHeightsPerSecond: number | undefined;
  /** Addresses of the chain's nodes; of a sentry-link alone. */
  readonly nodes: readonly string[];
}

export interface AddedChain {
  readonly name: string;
  readonly chainId: string;
  readonly outcome: 'added' | 'there';
}

export interface ChainDeps extends Pick<InitDeps, 'disk'> {
  readonly group: Group;
}

/**
 * Adds a chain to one home: of a cosigner with its own share, which no other is needed for. All of it or nothing. Throws USAGE,
 * WATERMARK_START_MISSING, GROUP_MISMATCH, CHAIN_EXISTS, INIT_RUNNING, CONFIG_INVALID, SHARE_MISMATCH and what `readShare`
 * throws.
 */
export async function addChainTo(home: string, request: ChainRequest, deps: ChainDeps): Promise<AddedChain> {
  // What an add that was killed had begun is finished first, or cleared away.
  await changeHome(home, () => recover(home));
  return changeHome(home, (at) => add(at, request, deps));
}

async function add(at: AnyHome, request: ChainRequest, deps: ChainDeps): Promise<AddedChain> {
  checkRequest(at, request);
  if (at.kind === 'cosigner') checkOtherCosigners(at.config, request.info);
  else checkAllCosigners(at.config, request.info);
  const share = at.kind === 'cosigner' ? await shareOf(at, request, deps.group) : undefined;
  try {
    const { chainId } = request.info;
    const { name } = at;
    if (await isThere(at, request.info, share)) return { name, chainId, outcome: 'there' };
    const text = at.kind === 'cosigner' ? await cosignerText(at, request) : await linkText(at, request);
    await addWhole(at.home, (root) => writeChain(root, request, share, deps), {
      chainId,
      moves: placesOf(at, chainId),
      appends: [{ file: basename(at.config.file), text }],
    });
    return { name, chainId, outcome: 'added' };
  } finally {
    if (share !== undefined) wipe(share);
  }
}

function checkRequest({ kind, name }: AnyHome, { share, start, nodes }: ChainRequest): void {
  const usage = (problem: string, fix: string): HekateError => new HekateError('USAGE', `${name}: ${problem}`, { fix });
  if (kind === 'sentry-link') {
    if (share !== undefined)
      throw usage('a sentry-link has no share', 'leave --share out, and see that no share lies on this host');
    if (start !== undefined)
      throw usage('a sentry-link has no watermark', 'leave out --state, --height and --never-signed');
    if (nodes.length === 0) throw usage('no node was given', 'add --node ADDR');
    if (new Set(nodes.map((node) => nodeKey(parseNodeAddress(node)))).size !== nodes.length)
      throw usage('a node was given twice', 'name each once');
    return;
  }
  if (nodes.length > 0) throw usage('a cosigner dials no node', 'leave --node out; it belongs to the sentry-links');
  if (share === undefined) throw usage('no share was given', 'add --share with the share.key of this cosigner');
  if (start === undefined)
    throw new HekateError('WATERMARK_START_MISSING', `${name}: it is not said up to where this key has signed`, {
      fix: 'add --height with a height at or above everything it signed, --state, or --never-signed if that is certain',
    });
}

/** The caller wipes it. */
async function shareOf({ config }: CosignerHome, { share, info }: ChainRequest, group: Group): Promise<Uint8Array> {
  const file = share ?? '';
  const secret = await readShare(file);
  try {
    const owner = ownerOf(secret, info, group);
    if (owner === config.id) return secret;
    const instead = owner === undefined ? 'of another dealing' : `that of cosigner ${owner}`;
    throw new HekateError('SHARE_MISMATCH', `${file} is not the share of cosigner ${config.id}, it is ${instead}`, {
      fix:
        owner === undefined
          ? 'take share.key and group.json of one dealing'
          : `bring the share of cosigner ${config.id} here, and take this one away: it belongs on another host`,
    });
  } catch (error) {
    wipe(secret);
    throw error;
  }
}

/** Throws CHAIN_EXISTS where there is something else of that chain. */
async function isThere(at: AnyHome, info: GroupInfo, share: Uint8Array | undefined): Promise<boolean> {
  const { home, config } = at;
  const { chainId } = info;
  if (config.chains.some(({ id }) => id === chainId)) {
    const file = paths.groupFile(home, chainId);
    const isSame = (await exists(file)) && sameGroup(await loadGroupFile(file, chainId), info);
    if (isSame && (share === undefined || (await hasShare(home, chainId, share)))) return true;
    throw new HekateError('CHAIN_EXISTS', `${at.name} has chain ${chainId} already, of another dealing`, {
      fix: 'a chain is never dealt twice into one cluster: take the files of the first dealing, or another chain id',
    });
  }
  for (const place of placesOf(at, chainId).map((one) => join(home, one)))
    if (await exists(place))
      throw new HekateError('CHAIN_EXISTS', `${place} is already there`, {
        fix: 'find out what it is from; move it away only where this key never signed with it',
      });
  return false;
}

async function hasShare(home: string, chainId: string, share: Uint8Array): Promise<boolean> {
  const there = await readShare(paths.shareFile(home, chainId));
  const isSame = equalBytes(there, share);
  wipe(there);
  return isSame;
}

/** What a chain adds to a home, relative to it. */
function placesOf({ kind, home }: AnyHome, chainId: string): string[] {
  const state = paths.watermarkFile(home, chainId);
  const places = [paths.chainFolder(home, chainId), ...(kind === 'cosigner' ? [markPath(state), state] : [])];
  return places.map((place) => relative(home, place));
}

async function cosignerText({ home, config }: CosignerHome, request: ChainRequest): Promise<string> {
  const text = cosignerChainToml(request.info.chainId, request.maxHeightsPerSecond);
  await parseCosignerConfig(home, config.file, await readConfigText(config.file), text);
  return text;
}

async function linkText({ home, config }: LinkHome, { info, nodes }: ChainRequest): Promise<string> {
  const addresses = nodes.map((node) => parseNodeAddress(node).text);
  const text = sentryLinkChainToml(info.chainId, addresses);
  await parseSentryLinkConfig(home, config.file, await readConfigText(config.file), text);
  return text;
}

async function writeChain(
  root: string,
  { info, start }: ChainRequest,
  share: Uint8Array | undefined,
  { disk }: ChainDeps,
): Promise<void> {
  const { chainId } = info;
  await makeFolder(paths.chainFolder(root, chainId));
  await createFile(paths.groupFile(root, chainId), encodeGroup(info), MODE_PUBLIC);
  if (share === undefined || start === undefined) return;
  await writeSecretFile(paths.shareFile(root, chainId), share);
  const state = paths.watermarkFile(root, chainId);
  await makeFolder(dirname(state));
  await createState(disk, state, info, start);
}
