import {
  loadSentryLinkConfig,
  type LinkChain,
  type SentryLinkConfig,
} from '../src/shared/config/sentry-link-config.js';
import type { LogConfig } from '../src/shared/config/log-config.js';
import { parseNodeAddress } from '../src/shared/config/node-address.js';
import { verificationShare } from '../src/shared/frost/feldman.js';
import type { Group } from '../src/shared/frost/group.js';
import { loadGroup } from '../src/shared/frost/load-group.js';
import { loadGroupFile } from '../src/shared/home/group-file.js';
import { loadNodeIdentitySeed } from '../src/shared/home/node-identity.js';
import { cosignerName, groupFile } from '../src/shared/home/paths.js';
import { loadPinnedPeers } from '../src/shared/home/peer-certificates.js';
import { wipe } from '../src/shared/bytes.js';
import { HekateError } from '../src/shared/errors.js';
import { systemClock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import { pinoLog } from '../src/shared/ports/pino-log.js';
import { systemRandom } from '../src/shared/ports/random.js';
import { lockHome } from '../src/shared/process/home-lock.js';
import { runInForeground, type Running } from '../src/shared/process/lifecycle.js';
import { identityFromSeed } from '../src/shared/secret-connection/identity.js';
import { fitHeapTo } from '../src/shared/process/memory.js';
import { serveStatus } from '../src/shared/status/status-socket.js';
import { loadIdentity } from '../src/shared/transport/identity.js';
import { VERSION } from '../src/shared/version.js';
import { CosignerClient } from './cosigners/cosigner-client.js';
import { describeLink } from './link-status.js';
import { nodeConnect } from './node/node-connect.js';
import { NodeService } from './node/node-service.js';
import { SentryLink, type LinkChain as KeyedChain } from './sentry-link.js';

export interface StartOptions {
  readonly home: string;
  /** Goes over the [log] section. */
  readonly log?: Partial<LogConfig>;
}

/** Runs the sentry-link of a home in the foreground until SIGTERM; resolves with the exit code. */
export async function startSentryLink({ home, log: overrides }: StartOptions): Promise<number> {
  const config = await loadSentryLinkConfig(home);
  const log = pinoLog({ ...config.log, ...overrides, base: { process: config.name } });
  return runInForeground(log, () => start(config, log));
}

async function start(config: SentryLinkConfig, log: Log): Promise<Running> {
  const unlock = lockHome(config.home);
  fitHeapTo(config.chains.length);
  const group = await loadGroup();
  const chains = await Promise.all(config.chains.map((chain) => keyedChain(config, chain, group)));
  const seed = await loadNodeIdentitySeed(config.home);
  const nodeIdentity = identityFromSeed(seed);
  wipe(seed);

  const link: SentryLink = new SentryLink(
    {
      chains,
      cosigners: config.cosigners.map(({ id }) => id),
      leaseMs: config.leaseMs,
      deadlineMs: config.signDeadlineMs,
    },
    {
      group,
      clock: systemClock,
      random: systemRandom,
      log,
      onLeading: (term) => {
        log.info('lease acquired', { term });
        for (const service of services) service.open();
      },
      onLost: (reason) => {
        for (const service of services) service.close();
        log.info('lease lost', { reason });
      },
    },
  );
  const connect = nodeConnect({ identity: nodeIdentity, clock: systemClock, random: systemRandom });
  const services = config.chains.map((chain, index) => {
    const nodes = chain.nodes.map(parseNodeAddress);
    const publicKey = chains[index]!.key.publicKey;
    return new NodeService(
      { chainId: chain.id, publicKey, nodes, mode: chain.nodeMode },
      { connect, sign: (vote) => link.sign(chain.id, vote), clock: systemClock, random: systemRandom, log },
    );
  });
  const clients = await connectCosigners(config, link, log);
  const status = await serveStatus(config.home, () => describeLink(config.name, link, services));
  link.start();
  for (const client of clients) client.start();
  return {
    stop: async () => {
      status.close();
      link.stop();
      for (const service of services) service.close();
      await Promise.all(clients.map((client) => client.close()));
      unlock();
    },
  };
}

async function keyedChain(config: SentryLinkConfig, chain: LinkChain, group: Group): Promise<KeyedChain> {
  const info = await loadGroupFile(groupFile(config.home, chain.id), chain.id);
  if (info.count !== config.cosigners.length) {
    const message = `chain ${chain.id} was dealt to ${info.count} cosigners, ${config.file} has ${config.cosigners.length}`;
    throw new HekateError('GROUP_MISMATCH', message, { fix: 'list every cosigner of the dealing, and no other' });
  }
  const ids = config.cosigners.map(({ id }) => id);
  const verificationShares = new Map(ids.map((id) => [id, verificationShare(group, info.commitments, id)]));
  return { chainId: chain.id, threshold: info.threshold, key: { publicKey: info.groupPublicKey, verificationShares } };
}

async function connectCosigners(
  config: SentryLinkConfig,
  link: SentryLink,
  log: Log,
): Promise<readonly CosignerClient[]> {
  const identity = await loadIdentity(config.tls.certificate, config.tls.key);
  const pins = config.cosigners.map(({ id, pin }) => ({ name: cosignerName(id), pin }));
  const peers = await loadPinnedPeers(config.tls.peers, pins);
  return config.cosigners.map(({ id, address }, index) => {
    const peer = peers[index]!;
    const otherPeers = peers.filter((other) => other !== peer);
    const client: CosignerClient = new CosignerClient(
      { address, identity, peer, otherPeers, version: VERSION, clock: systemClock, log, random: systemRandom },
      {
        seen: () => link.seen(id),
        connected: (hello) => link.peerOpened(id, hello, (message) => client.send(message)),
        message: (message) => link.peerMessage(id, message),
        disconnected: () => link.peerLost(id),
        dialFailed: (code) => {
          if (code === 'PEER_REFUSED') link.peerDown(id);
        },
      },
    );
    return client;
  });
}
