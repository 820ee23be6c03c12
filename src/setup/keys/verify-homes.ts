import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCosignerConfig, type CosignerConfig } from '../../shared/config/cosigner-config.js';
import { loadSentryLinkConfig, type SentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { isHekateError } from '../../shared/errors.js';
import { checkAllCosigners, checkOtherCosigners } from '../../shared/home/cosigners-of-group.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import { COSIGNER_CONFIG_FILE, cosignerName, groupFile, SENTRY_LINK_CONFIG_FILE } from '../../shared/home/paths.js';
import { cosignerPins, loadPinnedPeers } from '../../shared/home/peer-certificates.js';
import { otherOwner, pinOf, readCertificate, type NamedPin } from '../../shared/transport/identity.js';
import { checkPins } from '../../shared/transport/tls.js';
import { exists } from '../durable-files.js';

/** What a home says of itself and of its peers; a folder of `keys split` is no home. */
interface Home {
  readonly folder: string;
  readonly name: string;
  /** Undefined in a sentry-link. */
  readonly cosignerId: number | undefined;
  /** Of the certificate that it shows. */
  readonly pin: string;
  /** Whose that certificate is, if another's. */
  readonly owner: string | undefined;
  readonly peers: readonly NamedPin[];
  /** Folder of their certificates. */
  readonly peersFolder: string;
  readonly configFile: string;
  readonly chainIds: readonly string[];
  /** Throws GROUP_MISMATCH. */
  readonly checkGroup: (info: GroupInfo) => void;
}

export interface HomeProblem {
  readonly folder: string;
  readonly text: string;
}

/**
 * Checks homes against themselves and each other: the share is that of the configured cosigner, the certificate that one
 * shows is the one that the others have pinned, those of the peers fit their pins, and the configuration has the chain and
 * the cosigners of its dealing. `shareIds`: whose share lies in a folder, where that is known. `info`: what the folders have
 * of the chain, where it can be read.
 */
export async function verifyHomes(
  folders: readonly string[],
  shareIds: ReadonlyMap<string, number>,
  info: GroupInfo | undefined,
): Promise<readonly HomeProblem[]> {
  const { homes, problems } = await readHomes(folders);
  for (const home of homes) {
    const { folder, cosignerId } = home;
    const shareId = shareIds.get(folder);
    if (cosignerId !== undefined && shareId !== undefined && shareId !== cosignerId)
      problems.push({ folder, text: `share ${shareId} is here, but this is the home of cosigner ${cosignerId}` });
    for (const text of [...(await certificateProblems(home)), ...chainProblems(home, info)])
      problems.push({ folder, text });
  }
  return [...problems, ...mixedIdentities(homes)];
}

/** Homes that show each other's certificates, or that have pinned others than the homes here show. */
export async function findMixedHomes(folders: readonly string[]): Promise<readonly HomeProblem[]> {
  const { homes, problems } = await readHomes(folders);
  return [...problems, ...mixedIdentities(homes)];
}

async function readHomes(folders: readonly string[]): Promise<{ homes: readonly Home[]; problems: HomeProblem[] }> {
  const problems: HomeProblem[] = [];
  const homes: Home[] = [];
  for (const folder of new Set(folders)) {
    try {
      const home = await readHome(folder);
      if (home !== undefined) homes.push(home);
    } catch (error) {
      problems.push({ folder, text: lineOf(error) });
    }
  }
  return { homes, problems };
}

function mixedIdentities(homes: readonly Home[]): readonly HomeProblem[] {
  const problems: HomeProblem[] = [];
  for (const [i, { folder, name, pin, owner, peers }] of homes.entries()) {
    if (owner !== undefined)
      problems.push({ folder, text: `${name} shows the certificate of ${owner}: its tls folder is another home's` });
    const twin = homes.slice(0, i).find((home) => home.pin === pin && home.name === name);
    if (twin !== undefined) problems.push({ folder, text: `${name} is in ${twin.folder}, too` });
    for (const peer of peers) {
      const there = homes.find((home) => home.name === peer.name);
      if (there !== undefined && there.pin !== peer.pin && there.pin !== peer.nextPin)
        problems.push({
          folder,
          text: `another certificate of ${peer.name} is pinned than the one in ${there.folder}`,
        });
    }
  }
  return problems;
}

async function certificateProblems({ peers, peersFolder }: Home): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const peer of peers) {
    try {
      checkPins(await loadPinnedPeers(peersFolder, [peer]));
    } catch (error) {
      problems.push(lineOf(error));
    }
  }
  return problems;
}

function chainProblems(
  { folder, configFile, chainIds, checkGroup }: Home,
  info: GroupInfo | undefined,
): readonly string[] {
  const problems = chainIds
    .filter((id) => !existsSync(groupFile(folder, id)))
    .map((id) => `${configFile} has chain ${id}, but there is no ${groupFile(folder, id)}`);
  if (info === undefined) return problems;
  if (!chainIds.includes(info.chainId)) problems.push(`${configFile} has no chain ${info.chainId}`);
  try {
    checkGroup(info);
  } catch (error) {
    problems.push(lineOf(error));
  }
  return problems;
}

function lineOf(error: unknown): string {
  if (!isHekateError(error)) throw error;
  return error.toLine();
}

async function readHome(folder: string): Promise<Home | undefined> {
  if (await exists(join(folder, COSIGNER_CONFIG_FILE))) {
    const config = await loadCosignerConfig(folder);
    return withCertificate(folder, config, {
      name: cosignerName(config.id),
      cosignerId: config.id,
      peers: [...config.links, ...cosignerPins(config.cosigners)],
      checkGroup: (info) => checkOtherCosigners(config, info),
    });
  }
  if (!(await exists(join(folder, SENTRY_LINK_CONFIG_FILE)))) return undefined;
  const config = await loadSentryLinkConfig(folder);
  return withCertificate(folder, config, {
    name: config.name,
    cosignerId: undefined,
    peers: cosignerPins(config.cosigners),
    checkGroup: (info) => checkAllCosigners(config, info),
  });
}

async function withCertificate(
  folder: string,
  { tls, file, chains }: CosignerConfig | SentryLinkConfig,
  home: Pick<Home, 'name' | 'cosignerId' | 'peers' | 'checkGroup'>,
): Promise<Home> {
  const certPem = await readCertificate(tls.certificate);
  const owner = otherOwner(certPem, home.name, home.peers);
  const chainIds = chains.map(({ id }) => id);
  return { ...home, folder, pin: pinOf(certPem), owner, peersFolder: tls.peers, configFile: file, chainIds };
}
