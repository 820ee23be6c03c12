import { dirname, join } from 'node:path';
import * as paths from '../shared/home/paths.js';
import { LOCK_FILE } from '../shared/process/home-lock.js';
import { STATUS_SOCKET } from '../shared/status/socket-path.js';
import { markPath } from '../shared/watermark/state-mark.js';

export const COSIGNERS = 3;
export const THRESHOLD = 2;
export const LINKS = 2;
/** What the folder was made for. */
export const PLAN_FILE = 'dev.json';
/** Where the model node's chain is. */
export const HEIGHT_FILE = 'model-node.json';

export const COSIGNER_NAMES: readonly string[] = paths.cosignerNames(COSIGNERS);
export const LINK_NAMES: readonly string[] = paths.sentryLinkNames(LINKS);
export const HOME_NAMES = [...COSIGNER_NAMES, ...LINK_NAMES];

/** Everything that `hekate dev`, the init that it runs and its processes ever put into the folder of a chain. */
export interface Layout {
  /** Paths relative to the folder; sockets too. */
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
}

export function layoutOf(chainId: string): Layout {
  const files = new Set([paths.README_FILE, PLAN_FILE, HEIGHT_FILE, `${HEIGHT_FILE}.new`, LOCK_FILE]);
  for (const home of HOME_NAMES) {
    const peers = HOME_NAMES.filter((name) => name !== home);
    for (const name of [paths.README_FILE, LOCK_FILE, STATUS_SOCKET, paths.TLS_KEY_FILE, paths.TLS_CERTIFICATE_FILE])
      files.add(join(home, name));
    for (const peer of peers) files.add(paths.peerCertificateFile(join(home, paths.TLS_PEERS_FOLDER), peer));
    files.add(paths.groupFile(home, chainId));
  }
  for (const home of COSIGNER_NAMES) {
    const state = paths.watermarkFile(home, chainId);
    for (const path of [join(home, paths.COSIGNER_CONFIG_FILE), paths.shareFile(home, chainId), state, markPath(state)])
      files.add(path);
  }
  for (const home of LINK_NAMES) {
    for (const name of [paths.SENTRY_LINK_CONFIG_FILE, paths.NODE_IDENTITY_FILE]) files.add(join(home, name));
    const proof = paths.proofFile(home, chainId);
    for (const path of [proof, `${proof}.new`]) files.add(path);
  }
  return { files, folders: foldersOf(files) };
}

function foldersOf(files: ReadonlySet<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) for (let at = dirname(file); at !== '.'; at = dirname(at)) folders.add(at);
  return folders;
}
