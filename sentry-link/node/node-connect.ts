import type { LookupAddress } from 'node:dns';
import { stat } from 'node:fs/promises';
import { connect as openSocket, type Socket } from 'node:net';
import { HekateError } from '../../src/shared/errors.js';
import type { RawChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { answering, isName, systemHostNames, type HostNames } from '../../src/shared/ports/host-names.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { socketChannel } from '../../src/shared/ports/socket-channel.js';
import type { Identity } from '../../src/shared/secret-connection/identity.js';
import { secureChannel } from '../../src/shared/secret-connection/secure-channel.js';
import type { ConnectToNode, NodeChannel } from './dialler.js';
import { classifyDial, dialError } from './dial-error.js';
import type { NodeAddress } from '../../src/shared/config/node-address.js';

const CONNECT_TIMEOUT_MS = 1_000;
/** With several addresses for a host name, each but the last gets this long. */
const ADDRESS_TIMEOUT_MS = 450;
const HANDSHAKE_TIMEOUT_MS = 3_000;
/**
 * A connection that the node has not answered is kept. A node that still serves another signer answers when that one is
 * gone, be it in an hour; dialling anew meanwhile would only leave dead connections in its queue, and up to CometBFT 0.37.10 and
 * 0.38.5 each of those costs it 3 s. Keepalive notices when its host is gone.
 */
const HELLO_TIMEOUT_MS = Infinity;

export interface NodeConnectOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Default: those of this process. */
  readonly names?: HostNames;
}

/** Connects to nodes for real: an encrypted channel over tcp, a plain one over unix sockets (CometBFT does the same). */
export function nodeConnect(options: NodeConnectOptions): ConnectToNode {
  return async (address, abort): Promise<NodeChannel> => {
    const channel = await connect(address, abort, options);
    if (address.transport === 'unix') return channel;
    const close = (): void => channel.close();
    if (abort.aborted) close();
    else abort.addEventListener('abort', close);
    try {
      return await secureChannel(channel, {
        ...options,
        handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
        helloTimeoutMs: HELLO_TIMEOUT_MS,
      });
    } finally {
      abort.removeEventListener('abort', close);
    }
  };
}

async function connect(address: NodeAddress, abort: AbortSignal, options: NodeConnectOptions): Promise<RawChannel> {
  const { clock, names = systemHostNames } = options;
  if (address.transport === 'unix' || !isName(address.host)) return connected(open(address), address, abort, clock);
  const { addresses, trouble } = await names.addresses(address.host);
  if (abort.aborted) throw givenUp(address);
  try {
    return await connected(open(address, addresses), address, abort, clock);
  } catch (error) {
    if (trouble === undefined) throw error;
    const { code, message, fix } = classifyDial(error, address);
    const known = `its last known address was dialled, for ${trouble.message}`;
    throw new HekateError(code, `${message}; ${known}`, { cause: error, fix, details: { node: address.text } });
  }
}

function open(address: NodeAddress, addresses?: readonly LookupAddress[]): Socket {
  if (address.transport === 'unix') return openSocket({ path: address.path });
  return openSocket({
    host: address.host,
    port: address.port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
    ...(addresses && { lookup: answering(addresses) }),
  });
}

function givenUp(address: NodeAddress): HekateError {
  return dialError('DIAL_FAILED', address, 'the attempt was given up');
}

/** Resolves with the connected socket's channel; otherwise the socket is destroyed. */
async function connected(socket: Socket, address: NodeAddress, abort: AbortSignal, clock: Clock): Promise<RawChannel> {
  const channel = new Promise<RawChannel>((resolve, reject) => {
    const settle = (): void => {
      timer.cancel();
      abort.removeEventListener('abort', aborted);
      socket.off('error', giveUp);
    };
    const giveUp = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const aborted = (): void => giveUp(givenUp(address));
    const timer = clock.schedule(CONNECT_TIMEOUT_MS, () =>
      giveUp(dialError('DIAL_SYN_TIMEOUT', address, `the host does not answer within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    abort.addEventListener('abort', aborted);
    socket.on('error', giveUp);
    socket.once('connect', () => {
      settle();
      resolve(socketChannel(socket, { transport: address.transport }));
    });
  });
  try {
    return await channel;
  } catch (error) {
    throw await unixCause(error, address);
  }
}

/** connect() to a plain file fails with ECONNREFUSED on Linux, as if a socket were there without a listener. */
async function unixCause(error: unknown, address: NodeAddress): Promise<unknown> {
  if (address.transport !== 'unix') return error;
  const found = await stat(address.path).catch(() => undefined);
  if (found === undefined || found.isSocket()) return error;
  return dialError('DIAL_NOT_A_SOCKET', address, 'the path is not a socket', { cause: error });
}
