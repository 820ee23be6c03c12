import { join } from 'node:path';
import { invariant } from '../invariant.js';
import { chainIdProblem } from '../config/chain-id.js';

/** Where things are in the home of a cosigner or a sentry-link; both have the same layout. */
export const COSIGNER_CONFIG_FILE = 'cosigner.toml';
export const SENTRY_LINK_CONFIG_FILE = 'sentry-link.toml';
export const TLS_KEY_FILE = 'tls/identity.key';
export const TLS_CERTIFICATE_FILE = 'tls/identity.crt';
export const TLS_PEERS_FOLDER = 'tls/peers';
export const NODE_IDENTITY_FILE = 'node-identity.key';
export const STATE_FOLDER = 'state';
export const CHAINS_FOLDER = 'chains';
export const README_FILE = 'README.md';
const GROUP_FILE = 'group.json';
const SHARE_FILE = 'share.key';
const PROOF_FILE = 'newest-signature.json';

/** Name of a cosigner in certificates, peer files and the folders of init. */
export function cosignerName(id: number): string {
  return `cosigner-${id}`;
}

export function sentryLinkName(number: number): string {
  return `sentry-link-${number}`;
}

/** Names of the first `count` of them. */
export function cosignerNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => cosignerName(i + 1));
}

export function sentryLinkNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => sentryLinkName(i + 1));
}

export function peerCertificateFile(peersFolder: string, name: string): string {
  return join(peersFolder, `${name}.crt`);
}

/** The certificate that a peer is about to show. Names have no dots. */
export function nextPeerCertificateFile(peersFolder: string, name: string): string {
  return join(peersFolder, `${name}.next.crt`);
}

export function chainFolder(home: string, chainId: string): string {
  return join(home, CHAINS_FOLDER, checkedChainId(chainId));
}

export function groupFile(home: string, chainId: string): string {
  return join(chainFolder(home, chainId), GROUP_FILE);
}

export function shareFile(home: string, chainId: string): string {
  return join(chainFolder(home, chainId), SHARE_FILE);
}

export function proofFile(home: string, chainId: string): string {
  return join(chainFolder(home, chainId), PROOF_FILE);
}

export function watermarkFile(home: string, chainId: string): string {
  return join(home, STATE_FOLDER, `${checkedChainId(chainId)}.watermark`);
}

/** Chain ids reach this from checked configuration only; never from a peer or a node (invariant 9). */
function checkedChainId(chainId: string): string {
  invariant(chainIdProblem(chainId) === undefined, 'a chain id that names files was checked');
  return chainId;
}
