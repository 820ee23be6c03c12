import { createServer, type AddressInfo, type Server } from 'node:net';
import type { ByteChannel, RawChannel } from '../../shared/ports/byte-channel.js';
import type { Clock } from '../../shared/ports/clock.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import { socketChannel } from '../../shared/ports/socket-channel.js';
import { identityFromSeed, type Identity } from '../../shared/secret-connection/identity.js';
import { secureChannel } from '../../shared/secret-connection/secure-channel.js';
import type { Backlog } from './backlog.js';

/** Read and write deadline on the node's side of a handshake (CometBFT privval/socket_listeners.go). */
const HANDSHAKE_TIMEOUT_MS = 5_000;

export type ListenAddress =
  /** Port 0 takes any that is free. */
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

export interface Listening {
  /** As a signer dials it: tcp://host:port or unix:///path. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Listens as a node's priv_validator_laddr: encrypted over tcp with a key that is new at every start, plain over a unix
 * socket. Connections go to the backlog, untouched. Rejects with the errno error of a port that is in use.
 */
export async function listenForSigners(
  address: ListenAddress,
  backlog: Backlog,
  deps: { readonly clock: Clock; readonly random: RandomBytes },
): Promise<Listening> {
  const { transport } = address;
  const identity = identityFromSeed(deps.random(32));
  const server = createServer((socket) => {
    const raw = socketChannel(socket, { transport });
    backlog.push({
      open: () => (transport === 'unix' ? Promise.resolve(raw) : handshake(raw, identity, deps)),
      drop: () => raw.close(),
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (transport === 'unix') server.listen(address.path, listening);
    else server.listen(address.port, address.host, listening);
  });
  return {
    address: transport === 'unix' ? `unix://${address.path}` : tcpAddress(address.host, server),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function handshake(
  raw: RawChannel,
  identity: Identity,
  { clock, random }: { readonly clock: Clock; readonly random: RandomBytes },
): Promise<ByteChannel> {
  return secureChannel(raw, { identity, clock, random, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS });
}

function tcpAddress(host: string, server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
