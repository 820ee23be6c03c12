import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { STEP_PRECOMMIT, STEP_PROPOSAL, type SignStep, type Timestamp } from '../../src/shared/privval/canonical.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE } from '../../src/shared/privval/node-messages.js';
import { encodeRequest, type PrivvalRequest } from '../../src/shared/privval/request.js';
import { decodeResponse, type PrivvalResponse } from '../../src/shared/privval/response.js';
import { extensionSignBytes, SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { channelPair } from '../support/memory-channel.js';
import type { Checker } from './checker.js';
import type { Prng } from './prng.js';

/** CometBFT gives a request up after 5 s (privval/signer_endpoint.go). */
const PATIENCE_MS = 5_000;

interface Ask {
  readonly height: bigint;
  readonly round: number;
  readonly step: SignStep;
  /** Undefined is nil. */
  readonly block: Uint8Array | undefined;
  readonly timestamp: Timestamp;
  readonly extension: Uint8Array | undefined;
}

export interface SimNodeDeps {
  readonly clock: Clock;
  readonly random: Prng;
  readonly checker: Checker;
  readonly trace: (event: string) => void;
  /** A height above all that any node of this key has asked for. */
  readonly newHeight: () => bigint;
  /** Something a promise reaction found: rejects the whole run. */
  readonly failed: (error: unknown) => void;
}

interface Connection {
  readonly channel: ByteChannel;
  readonly link: string;
}

/**
 * A validator node that asks for votes, and also asks the same again, with other timestamps, for other blocks, and for what
 * is long past: everything that restarts, rollbacks and broken nodes do to a signer. Serves one connection at a time;
 * the others wait in its backlog, as they do in the kernel's.
 */
export class SimNode {
  readonly name: string;
  readonly #chainId: string;
  readonly #deps: SimNodeDeps;
  readonly #backlog: { readonly link: string; readonly accept: (channel: ByteChannel) => void }[] = [];
  #connection: Connection | undefined;
  #waiting: ((response: PrivvalResponse | undefined) => void) | undefined;
  #reader = new MessageReader();
  #last: Ask | undefined;
  #cursor: { height: bigint; round: number; step: SignStep };
  /** Heights whose precommit was signed. */
  signedHeights = 0;
  /** In the last phase what it asks must be signed. */
  wellBehaved = false;

  constructor(name: string, chainId: string, startHeight: bigint, deps: SimNodeDeps) {
    this.name = name;
    this.#chainId = chainId;
    this.#deps = deps;
    this.#cursor = { height: startHeight, round: 0, step: STEP_PROPOSAL };
  }

  /** Asks from now on. */
  start(): void {
    void this.#loop().catch(this.#deps.failed);
  }

  /** Links that hold a connection, or wait for one. */
  get diallers(): readonly string[] {
    const waiting = this.#backlog.map(({ link }) => link);
    return this.#connection === undefined ? waiting : [this.#connection.link, ...waiting];
  }

  /** A link dials; resolves when the node turns to it. */
  connect(link: string, abort: AbortSignal): Promise<ByteChannel> {
    return new Promise((resolve, reject) => {
      const entry = { link, accept: resolve };
      this.#backlog.push(entry);
      const giveUp = (): void => {
        const index = this.#backlog.indexOf(entry);
        if (index >= 0) this.#backlog.splice(index, 1);
        reject(Object.assign(new Error('given up'), { code: 'ECONNRESET' }));
      };
      if (abort.aborted) giveUp();
      else abort.addEventListener('abort', giveUp);
      this.#acceptNext();
    });
  }

  /** The node restarts: every connection is gone, and it may have forgotten its last steps. */
  restart(): void {
    const { random, trace } = this.#deps;
    this.#connection?.channel.close();
    if (random.chance(0.5)) this.#cursor = { ...this.#cursor, step: STEP_PROPOSAL };
    else if (random.chance(0.3) && this.#cursor.height > 2n)
      this.#cursor = { ...this.#cursor, height: this.#cursor.height - 1n };
    trace(`node ${this.name} restarts at ${this.#cursor.height}/${this.#cursor.round}`);
  }

  #acceptNext(): void {
    if (this.#connection !== undefined) return;
    const next = this.#backlog.shift();
    if (next === undefined) return;
    const { clock, random } = this.#deps;
    const delay = random.between(0.05, 5);
    const [ours, theirs] = channelPair({ clock, delayMs: () => delay });
    this.#connection = { channel: ours, link: next.link };
    this.#reader = new MessageReader();
    ours.start({
      bytes: (bytes) => this.#receive(bytes),
      closed: () => {
        this.#connection = undefined;
        this.#settle(undefined);
        this.#acceptNext();
      },
    });
    next.accept(theirs);
  }

  #receive(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      this.#settle(decodeResponse(message));
    }
  }

  #settle(response: PrivvalResponse | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(response);
  }

  async #loop(): Promise<void> {
    const { random } = this.#deps;
    for (;;) {
      await this.#sleep(this.wellBehaved ? random.between(50, 250) : random.between(20, 300));
      if (this.#connection === undefined) continue;
      const ask = this.#nextAsk();
      this.#last = ask;
      const response = await this.#request(ask);
      this.#judge(ask, response);
    }
  }

  /** Undefined: the connection broke before an answer came. */
  #request(ask: Ask): Promise<PrivvalResponse | undefined> {
    const { clock, checker, failed } = this.#deps;
    const { channel, link } = this.#connection!;
    return new Promise((resolve) => {
      const timer = clock.schedule(PATIENCE_MS, () => {
        try {
          checker.demand(
            'answered-in-time',
            false,
            `${link} left node ${this.name} without an answer for ${PATIENCE_MS} ms`,
          );
        } catch (error) {
          failed(error);
        }
      });
      this.#waiting = (response) => {
        timer.cancel();
        resolve(response);
      };
      channel.write(frameMessage(encodeRequest(this.#message(ask))));
    });
  }

  #judge(ask: Ask, response: PrivvalResponse | undefined): void {
    const { checker, trace } = this.#deps;
    const place = `${ask.height}/${ask.round}/${ask.step}`;
    const outcome =
      response === undefined
        ? 'lost'
        : response.kind === 'refused'
          ? `refused ${response.error.description.slice(0, 60)}`
          : response.kind;
    trace(
      `node ${this.name} ${place} ${ask.block === undefined ? 'nil' : Buffer.from(ask.block.subarray(0, 3)).toString('hex')}: ${outcome}`,
    );
    if (response?.kind === 'signedVote') {
      checker.released(this.#signBytes(ask, response.timestamp), response.signature);
      if (ask.extension !== undefined) {
        const bytes = extensionSignBytes({ chainId: this.#chainId, ...ask, extension: ask.extension });
        checker.extensionReleased(bytes, response.extensionSignature);
      }
      if (ask.step === STEP_PRECOMMIT) this.signedHeights++;
    }
    if (response?.kind === 'signedProposal') checker.released(this.#signBytes(ask, ask.timestamp), response.signature);
  }

  #nextAsk(): Ask {
    const { random } = this.#deps;
    const last = this.#last;
    const roll = this.wellBehaved || last === undefined ? 1 : random.unit();
    if (last !== undefined) {
      if (roll < 0.06) return last;
      if (roll < 0.12) return { ...last, timestamp: this.#now() };
      if (roll < 0.17)
        return { ...last, block: last.block === undefined ? this.#block() : undefined, extension: undefined };
      if (roll < 0.21) return { ...last, block: this.#block() };
      if (roll < 0.24 && last.height > 3n) return { ...last, height: last.height - 1n, timestamp: this.#now() };
    }
    return this.#advance();
  }

  #advance(): Ask {
    const { random } = this.#deps;
    // Two nodes share a key: what one has asked for stands in the other's way, unless it is well behaved.
    if (this.wellBehaved && this.#cursor.step === STEP_PROPOSAL) {
      this.#cursor = { height: this.#deps.newHeight(), round: 0, step: STEP_PROPOSAL };
    }
    const { height, round, step } = this.#cursor;
    const nil = !this.wellBehaved && step !== STEP_PROPOSAL && random.chance(0.1);
    const block = nil ? undefined : this.#block();
    const extension =
      step === STEP_PRECOMMIT && block !== undefined && random.chance(0.3) ? random.bytes(random.below(40)) : undefined;
    if (step !== STEP_PRECOMMIT) this.#cursor = { height, round, step: (step + 1) as SignStep };
    else if (nil) this.#cursor = { height, round: round + 1, step: STEP_PROPOSAL };
    else this.#cursor = { height: height + 1n, round: 0, step: STEP_PROPOSAL };
    return { height, round, step, block, timestamp: this.#now(), extension };
  }

  /** Ends the mischief: from now on it asks for a new height each time, and for nothing else. */
  behave(): void {
    this.wellBehaved = true;
    this.#cursor = { ...this.#cursor, step: STEP_PROPOSAL };
  }

  get height(): bigint {
    return this.#cursor.height;
  }

  #block(): Uint8Array {
    return this.#deps.random.bytes(32);
  }

  #now(): Timestamp {
    const nanos = BigInt(Math.round(this.#deps.clock.nowMs() * 1e6));
    return { seconds: 1_700_000_000n + nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
  }

  #signBytes(ask: Ask, timestamp: Timestamp): Uint8Array {
    const { height, round, step, block } = ask;
    const blockId = block === undefined ? undefined : { hash: block, partsTotal: 1, partsHash: block };
    const common = { chainId: this.#chainId, height, round, blockId, timestamp };
    return SignBytes.encode(step === STEP_PROPOSAL ? { ...common, step, polRound: -1n } : { ...common, step }).bytes;
  }

  #message(ask: Ask): PrivvalRequest {
    const { height, round, step, block, timestamp } = ask;
    const empty = new Uint8Array(0);
    const blockId =
      block === undefined
        ? { hash: empty, partsTotal: 0, partsHash: empty }
        : { hash: block, partsTotal: 1, partsHash: block };
    const chainId = this.#chainId;
    if (step === STEP_PROPOSAL) {
      const proposal = { ...EMPTY_PROPOSAL, type: 32, height, round, polRound: -1, blockId, timestamp };
      return { kind: 'signProposal', chainId, proposal };
    }
    const type = step === STEP_PRECOMMIT ? 2 : 1;
    const vote = { ...EMPTY_VOTE, type, height, round, blockId, timestamp, extension: ask.extension ?? empty };
    return { kind: 'signVote', chainId, vote, skipExtensionSigning: ask.extension === undefined };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.schedule(ms, resolve));
  }
}
