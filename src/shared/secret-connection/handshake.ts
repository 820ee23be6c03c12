import { wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant, must } from '../invariant.js';
import type { RandomBytes } from '../ports/random.js';
import type { FixedMessage } from './fixed-message.js';
import { FrameOpener, FrameSealer } from './frames.js';
import { authIn, authReader, encodeAuth, encodeHello, ephemeralKeyIn, helloReader } from './handshake-messages.js';
import { verifyIdentity, type Identity } from './identity.js';
import { deriveSession, ephemeralKey, type EphemeralKey } from './key-schedule.js';

export interface Established {
  readonly peerPublicKey: Uint8Array;
  readonly sealer: FrameSealer;
  readonly opener: FrameOpener;
  /** Decrypted data that came right behind the handshake. */
  readonly data: Uint8Array;
}

export interface HandshakeStep {
  /** Bytes for the peer; empty when there are none. */
  readonly send: Uint8Array;
  readonly established: Established | undefined;
}

const NOTHING = new Uint8Array(0);

/**
 * One side of a secret connection's handshake (CometBFT p2p/conn/secret_connection.go); both sides are the same. Eats
 * bytes in any chunking and emits bytes; errors are HekateErrors with SC_ codes, after which it must not be used.
 */
export class Handshake {
  readonly #identity: Identity;
  readonly #ephemeral: EphemeralKey;
  readonly #hello = helloReader();
  readonly #auth = authReader();
  #session: { sealer: FrameSealer; opener: FrameOpener; challenge: Uint8Array } | undefined;
  #over = false;

  constructor(identity: Identity, random: RandomBytes) {
    this.#identity = identity;
    this.#ephemeral = ephemeralKey(random);
  }

  /** What goes out first, without waiting for the peer. */
  hello(): Uint8Array {
    return encodeHello(this.#ephemeral.publicKey);
  }

  /** Whether the peer's hello is complete. */
  get greeted(): boolean {
    return this.#hello.complete;
  }

  receive(bytes: Uint8Array): HandshakeStep {
    invariant(!this.#over, 'a handshake that is over receives nothing');
    try {
      return this.#receive(bytes);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Wipes what a handshake that will not be finished holds. */
  abort(): void {
    this.#over = true;
    if (this.#session === undefined) return;
    this.#session.sealer.wipe();
    this.#session.opener.wipe();
    wipe(this.#session.challenge);
  }

  #receive(bytes: Uint8Array): HandshakeStep {
    if (this.#session !== undefined) return { send: NOTHING, established: this.#receiveSealed(bytes) };
    const rest = fill(this.#hello, bytes, 'SC_BAD_HELLO', 'the other side does not open with an ephemeral key');
    if (!this.#hello.complete) return { send: NOTHING, established: undefined };
    const send = this.#authenticate();
    return { send, established: this.#receiveSealed(rest) };
  }

  #authenticate(): Uint8Array {
    const { receive, send, challenge } = deriveSession(this.#ephemeral, ephemeralKeyIn(this.#hello.bytes));
    const sealer = new FrameSealer(send);
    this.#session = { sealer, opener: new FrameOpener(receive), challenge };
    return sealer.seal(encodeAuth(this.#identity.publicKey, this.#identity.sign(challenge)));
  }

  #receiveSealed(bytes: Uint8Array): Established | undefined {
    const { sealer, opener, challenge } = must(this.#session, 'keys before sealed frames');
    const data = fill(
      this.#auth,
      opener.open(bytes),
      'SC_BAD_AUTH',
      'the other side does not prove an ed25519 identity',
    );
    if (!this.#auth.complete) return undefined;
    const { publicKey, signature } = authIn(this.#auth.bytes);
    if (!verifyIdentity(publicKey, challenge, signature))
      throw new HekateError('SC_AUTH_FAILED', 'the other side signed another challenge than this connection has');
    wipe(challenge);
    this.#over = true;
    return { peerPublicKey: publicKey, sealer, opener, data };
  }
}

function fill(
  message: FixedMessage,
  bytes: Uint8Array,
  code: 'SC_BAD_HELLO' | 'SC_BAD_AUTH',
  what: string,
): Uint8Array {
  const { rest, wrongAt } = message.fill(bytes);
  if (wrongAt === undefined) return rest;
  const found = `0x${must(rest[0], 'the wrong byte').toString(16).padStart(2, '0')}`;
  throw new HekateError(code, `${what} (byte ${wrongAt} is ${found})`, { details: { wrongAt, found } });
}
