import { join } from 'node:path';
import type { TlsPaths } from '../../shared/config/common-sections.js';
import { loadCosignerConfig } from '../../shared/config/cosigner-config.js';
import { loadSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { isHekateError } from '../../shared/errors.js';
import { COSIGNER_CONFIG_FILE, cosignerName, SENTRY_LINK_CONFIG_FILE } from '../../shared/home/paths.js';
import { otherOwner, pinOf, readCertificate, type NamedPin } from '../../shared/transport/identity.js';
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
}

export interface HomeProblem {
  readonly folder: string;
  readonly text: string;
}

/**
 * Checks homes against themselves and each other: the share is that of the configured cosigner, and the certificate that one
 * shows is the one that the others have pinned. `shareIds`: whose share lies in a folder, where that is known.
 */
export async function verifyHomes(
  folders: readonly string[],
  shareIds: ReadonlyMap<string, number>,
): Promise<readonly HomeProblem[]> {
  const problems: HomeProblem[] = [];
  const homes: Home[] = [];
  for (const folder of new Set(folders)) {
    try {
      const home = await readHome(folder);
      if (home !== undefined) homes.push(home);
    } catch (error) {
      if (!isHekateError(error)) throw error;
      problems.push({ folder, text: error.toLine() });
    }
  }
  for (const { folder, name, cosignerId, owner, peers } of homes) {
    const shareId = shareIds.get(folder);
    if (cosignerId !== undefined && shareId !== undefined && shareId !== cosignerId)
      problems.push({ folder, text: `share ${shareId} is here, but this is the home of cosigner ${cosignerId}` });
    if (owner !== undefined)
      problems.push({
        folder,
        text: `${name} shows the certificate of ${owner}: its tls folder is another home's`,
      });
    for (const peer of peers) {
      const there = homes.find((home) => home.name === peer.name);
      if (there !== undefined && there.pin !== peer.pin)
        problems.push({
          folder,
          text: `another certificate of ${peer.name} is pinned than the one in ${there.folder}`,
        });
    }
  }
  return problems;
}

async function readHome(folder: string): Promise<Home | undefined> {
  if (await exists(join(folder, COSIGNER_CONFIG_FILE))) {
    const { id, tls, links, cosigners } = await loadCosignerConfig(folder);
    const others = cosigners.map((other) => ({ name: cosignerName(other.id), pin: other.pin }));
    return withCertificate({ folder, name: cosignerName(id), cosignerId: id, peers: [...links, ...others] }, tls);
  }
  if (!(await exists(join(folder, SENTRY_LINK_CONFIG_FILE)))) return undefined;
  const { name, tls, cosigners } = await loadSentryLinkConfig(folder);
  const peers = cosigners.map((one) => ({ name: cosignerName(one.id), pin: one.pin }));
  return withCertificate({ folder, name, cosignerId: undefined, peers }, tls);
}

async function withCertificate(home: Omit<Home, 'pin' | 'owner'>, { certificate }: TlsPaths): Promise<Home> {
  const certPem = await readCertificate(certificate);
  return { ...home, pin: pinOf(certPem), owner: otherOwner(certPem, home.name, home.peers) };
}
