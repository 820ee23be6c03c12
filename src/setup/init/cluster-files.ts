import { join } from 'node:path';
import { parseCosignerConfig } from '../../shared/config/cosigner-config.js';
import { parseSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { wipe } from '../../shared/bytes.js';
import { must } from '../../shared/invariant.js';
import type { DealtKey } from '../keys/dealing.js';
import type { Disk } from '../../shared/ports/disk.js';
import { createFile } from '../../shared/ports/durable-file.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import { pinOf, type TlsIdentity } from '../../shared/transport/identity.js';
import { makeIdentity } from '../identity/make-identity.js';
import type { Watermark } from '../../shared/watermark/watermark.js';
import { encodeGroup, type GroupInfo } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { encodeSecret } from '../../shared/home/secret-file.js';
import { makeFolder, MODE_PUBLIC } from '../durable-files.js';
import { collectGarbage } from '../garbage.js';
import { createState } from '../state-init.js';
import { clusterReadme, cosignerReadme, sentryLinkReadme } from './readme-text.js';
import type { ClusterPlan } from './request.js';
import * as toml from './toml-text.js';

export interface InitDeps {
  readonly disk: Disk;
  readonly random: RandomBytes;
}

/** A dealt key with where its watermarks start. */
export interface NewChain {
  readonly dealt: DealtKey;
  readonly start: Watermark;
  readonly nodes: readonly string[];
  readonly maxHeightsPerSecond: number | undefined;
  /** Of the chain, where it is known: "kira" as in "kiravalcons1…". */
  readonly bech32Prefix?: string | undefined;
}

interface Named extends TlsIdentity {
  readonly name: string;
  readonly pin: string;
}

/** Writes the chain's files of all processes below `root`: group.json, share.key and the watermark. */
export async function writeChainFiles(root: string, links: number, chain: NewChain, disk: Disk): Promise<void> {
  const { info, shares } = chain.dealt;
  await writeShares(root, chain.dealt);
  for (const { id } of shares) {
    const home = join(root, paths.cosignerName(id));
    await makeFolder(join(home, paths.STATE_FOLDER));
    await createState(disk, paths.watermarkFile(home, info.chainId), info, chain.start);
  }
  for (const name of paths.sentryLinkNames(links)) await writeGroupFile(join(root, name), info);
}

/** Writes group.json and share.key of all cosigners below `root`. */
export async function writeShares(root: string, { info, shares }: DealtKey): Promise<void> {
  for (const { id, secretShare } of shares) {
    const home = join(root, paths.cosignerName(id));
    await writeGroupFile(home, info);
    await writeSecret(paths.shareFile(home, info.chainId), secretShare);
  }
}

async function writeGroupFile(home: string, info: GroupInfo): Promise<void> {
  await makeFolder(paths.chainFolder(home, info.chainId));
  await createFile(paths.groupFile(home, info.chainId), encodeGroup(info), MODE_PUBLIC);
}

/** Writes the folders of a whole new cluster below `root`. `dir`: where they will be, for messages. */
export async function writeCluster(
  root: string,
  dir: string,
  plan: ClusterPlan,
  chain: NewChain,
  deps: InitDeps,
): Promise<void> {
  const cosigners: Named[] = [];
  for (const name of paths.cosignerNames(plan.cosigners.length)) cosigners.push(await makeNamed(name));
  const links: Named[] = [];
  for (const name of paths.sentryLinkNames(plan.links)) links.push(await makeNamed(name));

  collectGarbage();

  for (const [i, identity] of cosigners.entries()) {
    const home = join(root, identity.name);
    const others = cosigners.filter((other) => other !== identity);
    await writeIdentity(home, identity, [...links, ...others]);
    const text =
      toml.cosignerToml({
        id: i + 1,
        count: cosigners.length,
        listen: must(plan.listen[i], 'a cosigner has an address'),
        links,
        cosigners: others.map(({ pin }) => ({ pin, id: cosigners.findIndex((one) => one.pin === pin) + 1 })),
      }) + toml.cosignerChainToml(chain.dealt.info.chainId, chain.maxHeightsPerSecond, chain.bech32Prefix);
    await parseCosignerConfig(home, join(dir, identity.name, paths.COSIGNER_CONFIG_FILE), '', text);
    await createFile(join(home, paths.COSIGNER_CONFIG_FILE), text, MODE_PUBLIC);
    await createFile(join(home, paths.README_FILE), cosignerReadme(i + 1, plan), MODE_PUBLIC);
  }
  for (const [i, identity] of links.entries()) {
    const home = join(root, identity.name);
    await writeIdentity(home, identity, cosigners);
    const known = cosigners.map(({ pin }, at) => ({ id: at + 1, pin, address: must(plan.cosigners[at], 'as above') }));
    const text =
      toml.sentryLinkToml({ name: identity.name, cosigners: known }) +
      toml.sentryLinkChainToml(chain.dealt.info.chainId, chain.nodes, chain.bech32Prefix);
    await parseSentryLinkConfig(home, join(dir, identity.name, paths.SENTRY_LINK_CONFIG_FILE), '', text);
    await createFile(join(home, paths.SENTRY_LINK_CONFIG_FILE), text, MODE_PUBLIC);
    await createFile(join(home, paths.README_FILE), sentryLinkReadme(i + 1), MODE_PUBLIC);
    const seed = deps.random(32);
    await writeSecret(join(home, paths.NODE_IDENTITY_FILE), seed).finally(() => wipe(seed));
  }
  await writeChainFiles(root, plan.links, chain, deps.disk);
  await createFile(join(root, paths.README_FILE), clusterReadme(plan), MODE_PUBLIC);
}

async function makeNamed(name: string): Promise<Named> {
  const identity = await makeIdentity(name);
  return { name, pin: pinOf(identity.certPem), ...identity };
}

async function writeIdentity(home: string, identity: Named, peers: readonly Named[]): Promise<void> {
  const peersFolder = join(home, paths.TLS_PEERS_FOLDER);
  await makeFolder(peersFolder);
  await createFile(join(home, paths.TLS_KEY_FILE), identity.keyPem, MODE_PRIVATE).finally(() => wipe(identity.keyPem));
  await createFile(join(home, paths.TLS_CERTIFICATE_FILE), identity.certPem, MODE_PUBLIC);
  for (const peer of peers)
    await createFile(paths.peerCertificateFile(peersFolder, peer.name), peer.certPem, MODE_PUBLIC);
}

async function writeSecret(path: string, secret: Uint8Array): Promise<void> {
  const contents = encodeSecret(secret);
  await createFile(path, contents, MODE_PRIVATE).finally(() => wipe(contents));
}
