import { loadCosignerConfig, type CosignerChain, type CosignerConfig } from '../src/shared/config/cosigner-config.js';
import type { LogConfig } from '../src/shared/config/log-config.js';
import { formatHostPort } from '../src/shared/config/host-port.js';
import type { ErrorCode } from '../src/shared/error-codes.js';
import { wipe } from '../src/shared/bytes.js';
import { HekateError, isHekateError } from '../src/shared/errors.js';
import { loadGroup } from '../src/shared/frost/load-group.js';
import type { Group } from '../src/shared/frost/group.js';
import { checkOtherCosigners } from '../src/shared/home/cosigners-of-group.js';
import { loadGroupFile, type GroupInfo } from '../src/shared/home/group-file.js';
import { cosignerName, groupFile, watermarkFile } from '../src/shared/home/paths.js';
import { cosignerPins, loadPinnedPeers } from '../src/shared/home/peer-certificates.js';
import { loadShare } from '../src/shared/home/share-file.js';
import { systemClock, systemWallSecond } from '../src/shared/ports/clock.js';
import { canLockMemory } from '../src/shared/ports/locked-memory.js';
import type { Log } from '../src/shared/ports/log.js';
import { nodeDisk } from '../src/shared/ports/node-disk.js';
import { removeRunFile, runFolderOf } from '../src/shared/ports/node-run-folder.js';
import { pinoLog } from '../src/shared/ports/pino-log.js';
import { publicRandom, systemRandom } from '../src/shared/ports/random.js';
import type { RunFolder } from '../src/shared/ports/run-folder.js';
import { lockHome } from '../src/shared/process/home-lock.js';
import { dieOf, FINISH_MS, runInForeground } from '../src/shared/process/lifecycle.js';
import { fitHeapTo } from '../src/shared/process/memory.js';
import { reloader } from '../src/shared/process/reload.js';
import type { Started } from '../src/shared/process/started.js';
import { swapInUse } from '../src/shared/process/swap.js';
import { tellValidator } from '../src/shared/process/tell-validator.js';
import { NO_PARAMS, processRequest } from '../src/shared/status/process-requests.js';
import { serveStatusIfPossible } from '../src/shared/status/status-socket.js';
import { checkIdentityIsOurs, loadIdentity } from '../src/shared/transport/identity.js';
import { VERSION } from '../src/shared/version.js';
import { assembleCosigner, type CosignerChainOptions } from './assembly.js';
import { describeCosigner } from './cosigner-status.js';
import { haltedBy, type HaltedChain } from './halted-chain.js';
import { recoverRequest } from './recover-request.js';
import { LinkServer } from './links/link-server.js';
import type { OnLink } from './links/link-stream.js';
import { peersById, tlsIdentityKeys } from './waiting/identity-keys.js';

export interface StartOptions {
  readonly home: string;
  /** Goes over the [log] section. */
  readonly log?: Partial<LogConfig>;
}

/** Runs the cosigner of a home in the foreground until SIGTERM; resolves with the exit code. */
export async function startCosigner({ home, log: overrides }: StartOptions): Promise<number> {
  const config = await loadCosignerConfig(home);
  const log = pinoLog({ ...config.log, ...overrides, base: { process: cosignerName(config.id) } });
  const reload = reloader({ log, load: () => loadCosignerConfig(home), running: config, overrides });
  return runInForeground(log, (started) => start(config, log, started), reload);
}

async function start(config: CosignerConfig, log: Log, started: Started): Promise<void> {
  started.add(lockHome(config.home));
  fitHeapTo(config.chains.length);
  const group = await loadGroup();
  const identity = await loadIdentity(config.tls.certificate, config.tls.key);
  const others = cosignerPins(config.cosigners);
  checkIdentityIsOurs(identity, config.tls.certificate, cosignerName(config.id), [...config.links, ...others]);
  const links = await loadPinnedPeers(config.tls.peers, config.links);
  const otherPeers = await loadPinnedPeers(config.tls.peers, others);
  const chains: (CosignerChainOptions | HaltedChain)[] = [];
  for (const chain of config.chains) chains.push(await loadOrHalt(config, chain, group, log));

  tellOfSwap(log);

  const onFault = (error: unknown): never => dieOf(log, error);
  const otherIds = config.cosigners.map(({ id }) => id);
  const keys = tlsIdentityKeys(identity, peersById(otherPeers, otherIds));
  const run = { runFolder: runFolderIfAny(config.home, log), removeRunFile };
  const outside = { disk: nodeDisk, ...run, clock: systemClock, wallSecond: systemWallSecond };
  const assembled = await assembleCosigner(
    { id: config.id, others: otherIds, version: VERSION, chains },
    { group, keys, ...outside, random: systemRandom, publicRandom, log, onFault },
  );
  started.add(() => assembled.close());
  const { cosigner } = assembled;
  const { listen } = config;
  const onLink: OnLink = ({ name }, send, end) => cosigner.open(name, send, end);
  const onListening = (port: number): void =>
    log.info('listening', { address: formatHostPort({ ...listen, port }), version: VERSION, group: group.name });
  const server = new LinkServer({ listen, identity, links, otherPeers, log, onFault, onLink, onListening });
  // OpenSSL has its own copy now.
  wipe(identity.keyPem);
  await server.start().catch(async (error: unknown) => {
    throw isHekateError(error) && LISTEN_CODES.has(error.code) ? withPlace(error, await config.listenPlace()) : error;
  });
  started.add(() => server.close());
  started.add(() => cosigner.inFlight.untilNone(systemClock, FINISH_MS));
  const status = processRequest(NO_PARAMS, () => describeCosigner(cosigner, server, systemClock.nowMs()));
  started.add(await serveStatusIfPossible(config.home, { status, recover: recoverRequest(cosigner) }, log));
}

/** Where there is none, that is one warning: every start then waits until it has heard the others. */
function runFolderIfAny(home: string, log: Log): RunFolder | undefined {
  try {
    return runFolderOf(home, process.env);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    const { code, message, fix } = error;
    log.warn('no run-time folder: every start waits until it has heard the others', { code, reason: message, fix });
    return undefined;
  }
}

/** Shares and nonces are locked in memory where that can be; where it cannot, swap matters. */
function tellOfSwap(log: Log): void {
  const areas = canLockMemory() ? [] : swapInUse();
  if (areas.length === 0) return;
  const fix = 'raise LimitMEMLOCK, set MemorySwapMax=0, or turn swap off';
  log.warn('swap is on, and shares cannot be locked in memory: they may be written to it', {
    swap: areas.join(', '),
    fix,
  });
}

const LISTEN_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['PORT_IN_USE', 'LISTEN_FAILED']);

function withPlace({ code, message, fix, cause }: HekateError, place: string): HekateError {
  return new HekateError(code, `${place}: ${message}`, { fix, cause });
}

/** What is wrong with the group file or the share of one chain halts that chain; its state is not opened then. */
async function loadOrHalt(
  config: CosignerConfig,
  chain: CosignerChain,
  group: Group,
  log: Log,
): Promise<CosignerChainOptions | HaltedChain> {
  const { id: chainId, maxHeightJump, maxHeightsPerSecond, onDoubt } = chain;
  let info: GroupInfo | undefined;
  try {
    info = await loadGroupFile(groupFile(config.home, chainId), chainId);
    checkOtherCosigners(config, info);
    tellValidator(log, chain.bech32Prefix, info);
    return {
      chainId,
      threshold: info.threshold,
      groupPublicKey: info.groupPublicKey,
      secretShare: await loadShare(config.home, config.id, info, group),
      statePath: watermarkFile(config.home, chainId),
      maxHeightJump,
      maxHeightsPerSecond,
      sitsOut: onDoubt === 'sit-out',
    };
  } catch (error) {
    return haltedBy(error, { chainId, groupPublicKey: info?.groupPublicKey, maxHeightJump });
  }
}
