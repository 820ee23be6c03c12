import { join } from 'node:path';
import {
  loadSentryLinkConfig,
  type LinkChain,
  type SentryLinkConfig,
} from '../src/shared/config/sentry-link-config.js';
import type { LogConfig } from '../src/shared/config/log-config.js';
import { DROPPED_ID, hasDroppedId, parseNodeAddress } from '../src/shared/config/node-address.js';
import { verificationShare } from '../src/shared/frost/feldman.js';
import type { Group } from '../src/shared/frost/group.js';
import { loadGroup } from '../src/shared/frost/load-group.js';
import { checkAllCosigners } from '../src/shared/home/cosigners-of-group.js';
import { loadGroupFile } from '../src/shared/home/group-file.js';
import { loadNodeIdentitySeed } from '../src/shared/home/node-identity.js';
import { cosignerName, groupFile, NODE_IDENTITY_FILE } from '../src/shared/home/paths.js';
import { cosignerPins, loadPinnedPeers } from '../src/shared/home/peer-certificates.js';
import { wipe } from '../src/shared/bytes.js';
import { must } from '../src/shared/invariant.js';
import { systemClock } from '../src/shared/ports/clock.js';
import { isName, systemHostNames } from '../src/shared/ports/host-names.js';
import type { Log } from '../src/shared/ports/log.js';
import { pinoLog } from '../src/shared/ports/pino-log.js';
import { systemRandom } from '../src/shared/ports/random.js';
import { lockHome } from '../src/shared/process/home-lock.js';
import { FINISH_MS, runInForeground } from '../src/shared/process/lifecycle.js';
import { identityFromSeed } from '../src/shared/secret-connection/identity.js';
import { fitHeapTo } from '../src/shared/process/memory.js';
import { reloader } from '../src/shared/process/reload.js';
import type { Started } from '../src/shared/process/started.js';
import { tellValidator } from '../src/shared/process/tell-validator.js';
import { NO_PARAMS, processRequest } from '../src/shared/status/process-requests.js';
import { serveStatusIfPossible } from '../src/shared/status/status-socket.js';
import { checkIdentityIsOurs, loadIdentity, type TlsIdentity } from '../src/shared/transport/identity.js';
import type { PinnedPeer } from '../src/shared/transport/tls.js';
import { VERSION } from '../src/shared/version.js';
import { assembleLink, type LinkPorts, type ServedChain } from './assembly.js';
import { CosignerClient } from './cosigners/cosigner-client.js';
import { describeLink } from './link-status.js';
import { checkIsNoPartOfAKey } from './node/no-part-of-a-key.js';
import { nodeConnect } from './node/node-connect.js';
import { useNodeRequest } from './node/use-node-request.js';
import { transferRequest } from './leadership/transfer-request.js';
import { ProofFiles } from './proof-files.js';

export interface StartOptions {
  readonly home: string;
  /** Goes over the [log] section. */
  readonly log?: Partial<LogConfig>;
}

/** Runs the sentry-link of a home in the foreground until SIGTERM; resolves with the exit code. */
export async function startSentryLink({ home, log: overrides }: StartOptions): Promise<number> {
  const config = await loadSentryLinkConfig(home);
  const log = pinoLog({ ...config.log, ...overrides, base: { process: config.name } });
  const reload = reloader({ log, load: () => loadSentryLinkConfig(home), running: config, overrides });
  return runInForeground(log, (started) => start(config, log, started), reload);
}

async function start(config: SentryLinkConfig, log: Log, started: Started): Promise<void> {
  started.add(lockHome(config.home));
  fitHeapTo(config.chains.length);
  const group = await loadGroup();
  const chains = await Promise.all(config.chains.map((chain) => servedChain(config, chain, group, log)));
  const seed = await loadNodeIdentitySeed(config.home);
  const nodeIdentity = identityFromSeed(seed);
  try {
    const path = join(config.home, NODE_IDENTITY_FILE);
    checkIsNoPartOfAKey({ path, seed, publicKey: nodeIdentity.publicKey }, chains, group);
  } finally {
    wipe(seed);
  }
  log.info('identity for nodes', { id: nodeIdentity.peerId });
  const identity = await loadIdentity(config.tls.certificate, config.tls.key);
  const pins = cosignerPins(config.cosigners);
  checkIdentityIsOurs(identity, config.tls.certificate, config.name, pins);
  const peers = await loadPinnedPeers(config.tls.peers, pins);
  const proofs = await ProofFiles.open(
    config.home,
    chains.map(({ chainId, key }) => ({ chainId, groupPublicKey: key.publicKey })),
    log,
  );
  const assembled = assembleLink(
    {
      name: config.name,
      chains,
      cosigners: config.cosigners.map(({ id }) => id),
      leaseMs: config.leaseMs,
      signDeadlineMs: config.signDeadlineMs,
    },
    {
      group,
      clock: systemClock,
      random: systemRandom,
      log,
      proofs,
      connectNode: nodeConnect({ identity: nodeIdentity, clock: systemClock, random: systemRandom }),
      connectCosigner: cosignerConnector(config, identity, peers, log),
    },
  );
  // OpenSSL has its own copies now.
  wipe(identity.keyPem);
  for (const { text, droppedId } of chains.flatMap(({ nodes }) => nodes.filter(hasDroppedId)))
    log.info('node id left out of the address', { node: text, id: droppedId, reason: DROPPED_ID });
  assembled.start();
  // One that stands by dials no node, and may have to on a day without name servers.
  started.add(systemHostNames.keepKnown(namesOf(chains)));
  started.add(() => proofs.close());
  started.add(() => assembled.stop());
  started.add(() => assembled.retire(FINISH_MS));
  const status = processRequest(NO_PARAMS, () => describeLink(config.name, assembled));
  const { link } = assembled;
  const transfer = transferRequest(
    {
      name: config.name,
      term: () => link.candidate.term(),
      leader: () => link.leader(),
      standbys: () => link.candidate.standbys(),
      handOver: (to) => assembled.handOver(to, FINISH_MS),
    },
    systemClock,
  );
  const useNode = useNodeRequest({
    name: config.name,
    term: () => link.candidate.term(),
    leader: () => link.leader(),
    use: (node, chain) => assembled.nodes.use(node, chain),
  });
  started.add(await serveStatusIfPossible(config.home, { status, transfer, useNode }, log));
}

/** Of nodes that have to be looked up. */
function namesOf(chains: readonly ServedChain[]): readonly string[] {
  const nodes = chains.flatMap((chain) => chain.nodes);
  const hosts = nodes.flatMap((node) => (node.transport === 'tcp' && isName(node.host) ? node.host : []));
  return [...new Set(hosts)];
}

async function servedChain(config: SentryLinkConfig, chain: LinkChain, group: Group, log: Log): Promise<ServedChain> {
  const info = await loadGroupFile(groupFile(config.home, chain.id), chain.id);
  checkAllCosigners(config, info);
  tellValidator(log, chain.bech32Prefix, info);
  const ids = config.cosigners.map(({ id }) => id);
  const verificationShares = new Map(ids.map((id) => [id, verificationShare(group, info.commitments, id)]));
  return {
    chainId: chain.id,
    threshold: info.threshold,
    key: { publicKey: info.groupPublicKey, verificationShares },
    nodes: chain.nodes.map(parseNodeAddress),
    mode: chain.nodeMode,
    patience: { lostMs: chain.nodeLostMs, stillMs: chain.nodeStillMs },
  };
}

function cosignerConnector(
  config: SentryLinkConfig,
  identity: TlsIdentity,
  peers: readonly PinnedPeer[],
  log: Log,
): LinkPorts['connectCosigner'] {
  return (id, handlers) => {
    const cosigner = config.cosigners.find((one) => one.id === id);
    const { address } = must(cosigner, 'connections are for configured cosigners');
    const name = cosignerName(id);
    const peer = must(
      peers.find((one) => one.name === name),
      'every cosigner has a pin',
    );
    const otherPeers = peers.filter((other) => other !== peer);
    return new CosignerClient(
      { address, identity, peer, otherPeers, version: VERSION, clock: systemClock, log, random: systemRandom },
      handlers,
    );
  };
}
