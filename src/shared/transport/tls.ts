import { connect, createSecureContext, createServer } from 'node:tls';
import type { PeerCertificate, SecureContext, Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { HekateError } from '../errors.js';
import { pinOf, pinOfCertificate, type TlsIdentity } from './identity.js';

/**
 * A process whose certificate is known here: its name in our configuration, its certificate, its key's pin. While its identity
 * is being rotated there are two of its name, and either is as good.
 */
export interface PinnedPeer {
  readonly name: string;
  readonly certPem: string;
  /** `sha256:` and hex of the SHA-256 of its SubjectPublicKeyInfo. */
  readonly pin: string;
}

/**
 * TLS 1.3 alone, both ways: no renegotiation, no fallback, forward secrecy always. HTTP/2 by ALPN (RFC 7540 §3.3). There is
 * no certification authority: each pinned peer's own certificate is a root, so nobody else's passes the handshake.
 */
const TLS_VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
const ALPN = { ALPNProtocols: ['h2'] };

/** Throws TLS_PIN_MISMATCH when a certificate is not the one its pin says, TLS_IDENTITY_INVALID when it is none. */
export function checkPins(peers: readonly PinnedPeer[]): void {
  for (const { name, certPem, pin } of peers) {
    const actual = pinOf(certPem);
    if (actual !== pin)
      throw new HekateError(
        'TLS_PIN_MISMATCH',
        `the certificate of ${name} has the pin ${actual}, ${pin} is configured`,
      );
  }
}

/**
 * A server that completes the handshake with `peers` only. Its owner bounds the time: Node's handshakeTimeout reports a slow
 * connection but leaves it open. OpenSSL has its own copy of the key afterwards.
 */
export function pinnedTlsServer(identity: TlsIdentity, peers: readonly PinnedPeer[]): Server {
  return createServer({
    ...TLS_VERSION,
    ...ALPN,
    cert: identity.certPem,
    key: identity.keyPem,
    ca: peers.map(({ certPem }) => certPem),
    requestCert: true,
    rejectUnauthorized: true,
    noDelay: true,
  });
}

/** What a client shows, and whom it knows; made once for all its connections, as each has a copy of the key. */
export function clientContext(identity: TlsIdentity, peers: readonly PinnedPeer[]): SecureContext {
  return createSecureContext({
    ...TLS_VERSION,
    cert: identity.certPem,
    key: identity.keyPem,
    ca: peers.map(({ certPem }) => certPem),
  });
}

/**
 * Starts TLS as a client on a connected socket, with a context that knows `peer` and `others`. Who has the name of `peer`
 * is let through; the others are known only so that a swapped address is named: TLS_WRONG_PEER.
 */
export function pinnedTlsClient(
  socket: Socket,
  secureContext: SecureContext,
  peer: PinnedPeer,
  others: readonly PinnedPeer[],
): TLSSocket {
  return connect({
    ...ALPN,
    socket,
    secureContext,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => wrongPeer(certificate, peer, others),
  });
}

function wrongPeer(certificate: PeerCertificate, peer: PinnedPeer, others: readonly PinnedPeer[]): Error | undefined {
  const pin = pinOf(certificate.raw);
  const name = [peer, ...others].find((known) => known.pin === pin)?.name ?? 'somebody else';
  if (name === peer.name) return undefined;
  return new HekateError('TLS_WRONG_PEER', `${name} answers where ${peer.name} should`);
}

/** The pin of the peer's certificate; undefined before the handshake is over or after the socket is gone. */
export function peerPin(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate && pinOfCertificate(certificate);
}
