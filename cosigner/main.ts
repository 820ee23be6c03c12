import { loadCosignerConfig, type CosignerChain, type CosignerConfig } from '../src/shared/config/cosigner-config.js';
import type { LogConfig } from '../src/shared/config/log-config.js';
import { formatHostPort } from '../src/shared/config/host-port.js';
import { MAX_LEASE_MS, NONCE_POOL_TARGET } from '../src/shared/coordination/limits.js';
import type { ErrorCode } from '../src/shared/error-codes.js';
import { HekateError, isHekateError } from '../src/shared/errors.js';
import { loadGroup } from '../src/shared/frost/load-group.js';
import type { Group } from '../src/shared/frost/group.js';
import { loadGroupFile } from '../src/shared/home/group-file.js';
import { cosignerName, groupFile, watermarkFile } from '../src/shared/home/paths.js';
import { loadPinnedPeers } from '../src/shared/home/peer-certificates.js';
import { loadShare } from '../src/shared/home/share-file.js';
import { systemClock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import { nodeDisk } from '../src/shared/ports/node-disk.js';
import { pinoLog } from '../src/shared/ports/pino-log.js';
import { systemRandom } from '../src/shared/ports/random.js';
import { lockHome } from '../src/shared/process/home-lock.js';
import { dieOf, runInForeground, type Running } from '../src/shared/process/lifecycle.js';
import { fitHeapTo } from '../src/shared/process/memory.js';
import { serveStatus } from '../src/shared/status/status-socket.js';
import { loadIdentity } from '../src/shared/transport/identity.js';
import { VERSION } from '../src/shared/version.js';
import { WatermarkStore } from '../src/shared/watermark/store.js';
import { ChainSigner } from './signing/chain-signer.js';
import { Cosigner } from './cosigner.js';
import { describeCosigner } from './cosigner-status.js';
import { startGrpcServer } from './links/link-server.js';

export interface StartOptions {
  readonly home: string;
  /** Goes over the [log] section. */
  readonly log?: Partial<LogConfig>;
}

/** Runs the cosigner of a home in the foreground until SIGTERM; resolves with the exit code. */
export async function startCosigner({ home, log: overrides }: StartOptions): Promise<number> {
  const config = await loadCosignerConfig(home);
  const log = pinoLog({ ...config.log, ...overrides, base: { process: cosignerName(config.id) } });
  return runInForeground(log, () => start(config, log));
}

interface OpenChain {
  readonly signer: ChainSigner;
  readonly store: WatermarkStore;
}

async function start(config: CosignerConfig, log: Log): Promise<Running> {
  const unlock = lockHome(config.home);
  fitHeapTo(config.chains.length);
  const group = await loadGroup();
  const identity = await loadIdentity(config.tls.certificate, config.tls.key);
  const links = await loadPinnedPeers(config.tls.peers, config.links);
  const others = config.cosigners.map(({ id, pin }) => ({ name: cosignerName(id), pin }));
  const otherPeers = await loadPinnedPeers(config.tls.peers, others);
  const chains: OpenChain[] = [];
  for (const chain of config.chains) chains.push(await openChain(config, chain, group, log));

  const onFault = (error: unknown): never => dieOf(log, error);
  const options = { id: config.id, version: VERSION, leaseCapMs: MAX_LEASE_MS };
  const signers = chains.map(({ signer }) => signer);
  const cosigner = new Cosigner(options, signers, { clock: systemClock, log, onFault });
  const connected = new Set<string>();
  const serving = startGrpcServer({
    listen: config.listen,
    identity,
    links,
    otherPeers,
    log,
    onFault,
    onLink: ({ name }, send) => {
      const session = cosigner.open(name, send);
      connected.add(name);
      return {
        receive: (message) => session.receive(message),
        closed: () => {
          session.close();
          connected.delete(name);
        },
      };
    },
  });
  const server = await serving.catch((error: unknown) => {
    throw isHekateError(error) && LISTEN_CODES.has(error.code) ? withPlace(error, config.listenPlace) : error;
  });
  const status = await serveStatus(config.home, () => describeCosigner(cosigner, [...connected], systemClock.nowMs()));
  log.info('listening', { address: formatHostPort(config.listen), version: VERSION, group: group.name });
  return {
    stop: async () => {
      status.close();
      await server.close();
      cosigner.close();
      for (const { store } of chains) await store.close();
      unlock();
    },
  };
}

const LISTEN_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['PORT_IN_USE', 'LISTEN_FAILED']);

function withPlace({ code, message, fix, details }: HekateError, place: string): HekateError {
  return new HekateError(code, `${place}: ${message}`, { fix, details });
}

async function openChain(config: CosignerConfig, chain: CosignerChain, group: Group, log: Log): Promise<OpenChain> {
  const info = await loadGroupFile(groupFile(config.home, chain.id), chain.id);
  const { groupPublicKey, threshold } = info;
  const secretShare = await loadShare(config.home, config.id, info, group);
  const binding = { chainId: chain.id, groupPublicKey };
  const store = await WatermarkStore.open(nodeDisk, watermarkFile(config.home, chain.id), binding);
  const signer = new ChainSigner(
    {
      chainId: chain.id,
      id: config.id,
      threshold,
      groupPublicKey,
      secretShare,
      maxHeightJump: chain.maxHeightJump,
      maxHeightsPerSecond: chain.maxHeightsPerSecond,
      noncePoolTarget: NONCE_POOL_TARGET,
    },
    { group, watermark: store, clock: systemClock, random: systemRandom, log },
  );
  return { signer, store };
}
