import { dirname, join } from 'node:path';
import { wipe } from '../../shared/bytes.js';
import {
  loadSentryLinkConfig,
  parseSentryLinkConfig,
  type SentryLinkConfig,
} from '../../shared/config/sentry-link-config.js';
import { tlsPaths } from '../../shared/config/common-sections.js';
import { readConfigText } from '../../shared/config/toml-file.js';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { checkAllCosigners } from '../../shared/home/cosigners-of-group.js';
import { encodeGroup, loadGroupFile } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { cosignerPins, loadPinnedPeers } from '../../shared/home/peer-certificates.js';
import { InvariantViolation } from '../../shared/invariant.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { createFile } from '../../shared/ports/durable-file.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import { pinOf, readCertificate } from '../../shared/transport/identity.js';
import { checkPins } from '../../shared/transport/tls.js';
import { exists, makeFolder, MODE_PUBLIC } from '../durable-files.js';
import { collectGarbage } from '../garbage.js';
import { NotEditable, quote, setTopKey } from '../home/toml-edit.js';
import { makeNextIdentity } from '../identity/make-identity.js';
import { writeSecretFile } from '../init/cluster-files.js';
import { linkReadme } from '../init/readme-text.js';
import { createWhole } from '../init/staging.js';
import { checkLinkName } from './pinned-links.js';

export interface NewLink {
  readonly name: string;
  readonly pin: string;
  /** The file to carry to the cosigners. */
  readonly certificate: string;
  readonly outcome: 'made' | 'there';
}

/**
 * Makes the home of one more sentry-link from the public files of another one: its configuration, the certificates of the
 * cosigners, group.json of each chain. Identities are its own. Throws USAGE, DIR_NOT_EMPTY, NO_HOME, CONFIG_INVALID,
 * CONFIG_NOT_EDITED, GROUP_INVALID, GROUP_MISMATCH, TLS_PIN_MISMATCH, INIT_RUNNING, WRITE_FAILED.
 */
export async function makeLink(
  home: string,
  from: string,
  named: string | undefined,
  random: RandomBytes,
): Promise<NewLink> {
  const name = checkLinkName(named);
  try {
    const there = await madeBefore(home, name);
    if (there !== undefined) return there;
    const source = await loadSentryLinkConfig(from);
    if (source.name === name)
      throw new HekateError('USAGE', `${from} is ${name} already`, { fix: 'choose another --name' });
    const text = await textFor(home, source, name);
    await createWhole(home, (root) => writeLink(root, source, { name, text }, random));
    const certificate = join(home, paths.TLS_CERTIFICATE_FILE);
    return { name, pin: pinOf(await readCertificate(certificate)), certificate, outcome: 'made' };
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    throw accessDenied(error) ?? new HekateError('WRITE_FAILED', `${home}: ${messageOf(error)}`, { cause: error });
  }
}

async function madeBefore(home: string, name: string): Promise<NewLink | undefined> {
  if (!(await exists(home))) return undefined;
  if (await exists(join(home, paths.SENTRY_LINK_CONFIG_FILE))) {
    const config = await loadSentryLinkConfig(home);
    const { certificate } = config.tls;
    if (config.name === name)
      return { name, pin: pinOf(await readCertificate(certificate)), certificate, outcome: 'there' };
  }
  throw new HekateError('DIR_NOT_EMPTY', `${home} is already there`, {
    fix: 'choose a folder that does not exist yet',
  });
}

/** The configuration of the other link with the new name, comments and all. */
async function textFor(
  home: string,
  { file, name: before, tls, home: from }: SentryLinkConfig,
  name: string,
): Promise<string> {
  const usual = tlsPaths(from, undefined);
  if (tls.key !== usual.key || tls.certificate !== usual.certificate || tls.peers !== usual.peers)
    throw new HekateError('CONFIG_NOT_EDITED', `${file} has a [tls] section: the new home would use the same files`, {
      fix: 'take that section out of the copy, with the certificates of the cosigners in tls/peers beside it',
    });
  try {
    const text = setTopKey(await readConfigText(file), 'name', quote(name)).replace(
      `# hekate ${before}.`,
      `# hekate ${name}.`,
    );
    await parseSentryLinkConfig(home, join(home, paths.SENTRY_LINK_CONFIG_FILE), '', text);
    return text;
  } catch (error) {
    if (error instanceof NotEditable) throw new HekateError('CONFIG_NOT_EDITED', `${file}: ${error.message}`);
    throw error;
  }
}

async function writeLink(
  root: string,
  source: SentryLinkConfig,
  { name, text }: { readonly name: string; readonly text: string },
  random: RandomBytes,
): Promise<void> {
  const peers = await loadPinnedPeers(source.tls.peers, cosignerPins(source.cosigners));
  checkPins(peers);
  const folder = join(root, paths.TLS_PEERS_FOLDER);
  await makeFolder(folder);
  const seen = new Set<string>();
  for (const peer of peers) {
    const fileOf = seen.has(peer.name) ? paths.nextPeerCertificateFile : paths.peerCertificateFile;
    seen.add(peer.name);
    await createFile(fileOf(folder, peer.name), peer.certPem, MODE_PUBLIC);
  }
  const { certPem, keyPem } = await makeNextIdentity(name);
  await createFile(join(root, paths.TLS_KEY_FILE), keyPem, MODE_PRIVATE).finally(() => wipe(keyPem));
  collectGarbage();
  await createFile(join(root, paths.TLS_CERTIFICATE_FILE), certPem, MODE_PUBLIC);
  const seed = random(32);
  await writeSecretFile(join(root, paths.NODE_IDENTITY_FILE), seed).finally(() => wipe(seed));
  for (const { id } of source.chains) {
    const info = await loadGroupFile(paths.groupFile(source.home, id), id);
    checkAllCosigners(source, info);
    const file = paths.groupFile(root, id);
    await makeFolder(dirname(file));
    await createFile(file, encodeGroup(info), MODE_PUBLIC);
  }
  await createFile(join(root, paths.SENTRY_LINK_CONFIG_FILE), text, MODE_PUBLIC);
  await createFile(join(root, paths.README_FILE), linkReadme(name), MODE_PUBLIC);
}
