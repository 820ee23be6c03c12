import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError, isHekateError, messageOf } from '../../src/shared/errors.js';
import { invariant, InvariantViolation } from '../../src/shared/invariant.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import { frameMessage, MAX_REQUEST_BYTES, MessageReader } from '../../src/shared/privval/delimited.js';
import { EMPTY_BYTES } from '../../src/shared/privval/fields.js';
import { remoteError } from '../../src/shared/privval/remote-error.js';
import { decodeRequest, kindOfRequest, type PrivvalRequest } from '../../src/shared/privval/request.js';
import {
  encodeResponse,
  type PrivvalResponse,
  type Refused,
  type SignedVoteResponse,
} from '../../src/shared/privval/response.js';
import { describeRequest, type NodeRecord } from './node-record.js';
import { voteToSign, wrongChain } from '../vote-to-sign.js';
import type { RefusedVote, SignedVote, SignOutcome, SignRequestOfNode, VoteToSign } from '../vote-to-sign.js';

/** A node asks for one signature at a time; a few more are forgiven. */
const MAX_WAITING = 4;
/** An answer that has just been written may be on its way, and what resets the connection must not overtake it. */
const ON_ITS_WAY_MS = 20;
/** A node gives its own writes 5 s. */
const MESSAGE_TIMEOUT_MS = 10_000;

/** One chain that a node may ask for. */
export interface SessionChain {
  /** The validator's Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Signs or refuses, in bounded time: the node gives up after 5 s. */
  readonly sign: (vote: VoteToSign) => Promise<SignOutcome>;
  /** What becomes of requests for this chain; outlives the session. */
  readonly record: NodeRecord;
}

export interface NodeSessionOptions {
  /** By chain id: the one in a request picks the signer. */
  readonly chains: ReadonlyMap<string, SessionChain>;
  /** What is of no chain, or of one that is not signed for here; outlives the session. */
  readonly record: NodeRecord;
  readonly clock: Clock;
  /** The connection is gone, by either side. */
  readonly closed?: (reason: HekateError | undefined) => void;
}

interface Waiting {
  readonly request: SignRequestOfNode;
  readonly arrivedMs: number;
}

type PublicKeyRequest = Extract<PrivvalRequest, { kind: 'pubKey' }>;

/**
 * One connection to a node, from the signer's side: the node asks, we answer (CometBFT privval/signer_requestHandler.go). A
 * refusal is an answer and leaves the connection up; only bytes that are not the protocol end it. Ping and PubKey never
 * wait for a signature; signatures are made one at a time, in order.
 */
export class NodeSession {
  readonly #channel: ByteChannel;
  readonly #options: NodeSessionOptions;
  readonly #reader = new MessageReader(MAX_REQUEST_BYTES, (head, length) => this.#refuseOversized(head, length));
  readonly #waiting: Waiting[] = [];
  #slowness: Timer | undefined;
  #signing = false;
  #ended = false;
  #retires = false;
  #answeredMs = -Infinity;
  #brokenBy: HekateError | undefined;

  constructor(channel: ByteChannel, options: NodeSessionOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Starts the channel. */
  start(): void {
    this.#channel.start({ bytes: (bytes) => this.#receive(bytes), closed: (reason) => this.#closed(reason) });
  }

  /** Ends the connection at once: nothing is answered any more, whatever is being signed. */
  close(): void {
    this.#end();
    this.#channel.close();
  }

  /**
   * Answers what is being signed, takes nothing new, and ends the connection then: a node sends a request again on its next
   * connection when this one ends before the answer (CometBFT privval/retry_signer_client.go).
   */
  retire(): void {
    this.#retires = true;
    this.#waiting.length = 0;
    if (!this.#signing) this.#leave();
  }

  #leave(): void {
    const { clock } = this.#options;
    const inMs = this.#answeredMs + ON_ITS_WAY_MS - clock.nowMs();
    if (inMs <= 0) this.close();
    else clock.schedule(inMs, () => this.close());
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#reader.push(bytes);
      for (let message = this.#next(); message !== undefined; message = this.#next()) {
        this.#stopWatch();
        this.#take(decodeRequest(message));
      }
      this.#watchUnfinished();
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.#break(error);
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#ended) return undefined;
    const message = this.#reader.next();
    // Reading over a message before it may have ended the connection.
    return this.#ended ? undefined : message;
  }

  /** Bytes that trickle in do not hold a connection for ever. */
  #watchUnfinished(): void {
    if (this.#ended || !this.#reader.unfinished) return;
    this.#slowness ??= this.#options.clock.schedule(MESSAGE_TIMEOUT_MS, () =>
      this.#break(
        new HekateError('PRIVVAL_SLOW', `a message was not finished ${MESSAGE_TIMEOUT_MS} ms after it began`),
      ),
    );
  }

  #stopWatch(): void {
    this.#slowness?.cancel();
    this.#slowness = undefined;
  }

  #take(request: PrivvalRequest): void {
    const { record } = this.#options;
    switch (request.kind) {
      case 'ping':
        record.ping();
        return this.#answer({ kind: 'ping' });
      case 'pubKey':
        return this.#answer(this.#publicKeyFor(request));
      case 'signVote':
      case 'signProposal':
        return this.#queue(request);
      case 'signBytes':
        return this.#answer(
          this.#refuse(
            'signBytes',
            'a request to sign raw bytes',
            'REQUEST_UNSUPPORTED',
            'raw bytes are not signed here',
          ),
        );
      case 'unknown':
        record.refused(`message ${request.field}`, 'REQUEST_UNSUPPORTED', 'this message is not known here');
        return this.#answer({ kind: 'empty' });
    }
  }

  #refuseOversized(head: Uint8Array, length: number): void {
    this.#stopWatch();
    const kind = kindOfRequest(head);
    const problem = `${length} bytes, ${MAX_REQUEST_BYTES} are allowed`;
    if (kind === undefined) return this.#break(new HekateError('PRIVVAL_OVERSIZED', `a message of ${problem}`));
    this.#answer(this.#refuse(kind, 'a request that is too long', 'REQUEST_INVALID', `the request has ${problem}`));
  }

  #publicKeyFor(request: PublicKeyRequest): PrivvalResponse {
    const record = this.#recordOf(request);
    record.pubKey();
    try {
      return { kind: 'pubKey', publicKey: this.#chainOf(request).publicKey };
    } catch (error) {
      const { code, message } = asRefusal(error);
      return this.#refuse('pubKey', 'the public key', code, message, record);
    }
  }

  /** Throws WRONG_CHAIN. */
  #chainOf({ chainId }: SignRequestOfNode | PublicKeyRequest): SessionChain {
    const { chains } = this.#options;
    const chain = chains.get(chainId);
    if (chain === undefined) throw wrongChain(chainId, [...chains.keys()]);
    return chain;
  }

  #recordOf({ chainId }: SignRequestOfNode | PublicKeyRequest): NodeRecord {
    return this.#options.chains.get(chainId)?.record ?? this.#options.record;
  }

  #queue(request: SignRequestOfNode): void {
    if (this.#retires) return;
    if (this.#waiting.length >= MAX_WAITING)
      return this.#break(
        new HekateError('PRIVVAL_FLOOD', `the node asks on while ${MAX_WAITING + 1} requests are pending`),
      );
    this.#waiting.push({ request, arrivedMs: this.#options.clock.nowMs() });
    if (!this.#signing) void this.#signWaiting();
  }

  async #signWaiting(): Promise<void> {
    this.#signing = true;
    for (let next = this.#waiting.shift(); next !== undefined && !this.#ended; next = this.#waiting.shift())
      this.#settle(next, await this.#sign(next.request));
    this.#signing = false;
    if (this.#retires) this.#leave();
  }

  async #sign(request: SignRequestOfNode): Promise<SignOutcome> {
    try {
      return await this.#chainOf(request).sign(voteToSign(request));
    } catch (error) {
      return asRefusal(error);
    }
  }

  #settle({ request, arrivedMs }: Waiting, outcome: SignOutcome): void {
    const answered = !this.#ended;
    this.#answeredMs = this.#options.clock.nowMs();
    const record = this.#recordOf(request);
    if (outcome.kind === 'refused') {
      const refusal = this.#refuse(request.kind, describeRequest(request), outcome.code, outcome.message, record);
      return this.#answer(refusal);
    }
    this.#answer(signedResponse(request, outcome));
    record.signed(request, { latencyMs: this.#options.clock.nowMs() - arrivedMs, answered });
  }

  #refuse(
    of: Refused['of'],
    what: string,
    code: ErrorCode,
    message: string,
    record: NodeRecord = this.#options.record,
  ): Refused {
    const error = remoteError(code, message);
    // Cut and cleaned as the node gets it; the code has a field of its own in our log.
    const cause = error.description.slice(`${code}: `.length);
    record.refused(what, code, cause, !this.#ended);
    return { kind: 'refused', of, error };
  }

  #answer(response: PrivvalResponse): void {
    if (!this.#ended) this.#channel.write(frameMessage(encodeResponse(response)));
  }

  #break(reason: HekateError): void {
    this.#brokenBy = reason;
    this.#options.record.broken(reason);
    this.close();
  }

  #closed(reason: HekateError | undefined): void {
    if (!this.#ended && reason === undefined && this.#reader.unfinished) {
      this.#brokenBy = new HekateError('PRIVVAL_MALFORMED', 'the connection ended within a message');
      this.#options.record.broken(this.#brokenBy);
    }
    this.#end();
    this.#options.closed?.(this.#brokenBy ?? reason);
  }

  #end(): void {
    this.#ended = true;
    this.#stopWatch();
  }
}

function signedResponse(
  request: SignRequestOfNode,
  { signature, timestamp, extensionSignature }: SignedVote,
): PrivvalResponse {
  invariant(signature.length === 64, 'an Ed25519 signature has 64 bytes');
  if (request.kind === 'signProposal') return { kind: 'signedProposal', signature };
  const response: SignedVoteResponse = {
    kind: 'signedVote',
    timestamp,
    signature,
    extensionSignature: extensionSignature ?? EMPTY_BYTES,
  };
  return response;
}

/** A broken invariant is not an answer: it ends the process. */
function asRefusal(error: unknown): RefusedVote {
  if (error instanceof InvariantViolation) throw error;
  return { kind: 'refused', code: isHekateError(error) ? error.code : 'INTERNAL', message: messageOf(error) };
}
