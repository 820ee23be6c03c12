import type { AskedPlace } from '../../sentry-link/node/node-turn.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import {
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type BlockId,
  type SignStep,
  type Timestamp,
} from '../../src/shared/privval/canonical.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE } from '../../src/shared/privval/node-messages.js';
import { encodeRequest, type PrivvalRequest } from '../../src/shared/privval/request.js';
import { decodeResponse, type PrivvalResponse } from '../../src/shared/privval/response.js';
import { extensionSignBytes, SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { channelPair } from '../support/memory-channel.js';
import type { Checker } from './checker.js';
import type { Coverage } from './coverage.js';
import type { Prng } from './prng.js';
import type { ProcessClock } from './process-clock.js';

/** CometBFT gives a request up after 5 s (privval/signer_endpoint.go). */
const PATIENCE_MS = 5_000;
/** Above any jump that is allowed. */
const ASTRAY_HEIGHTS = 200_000n;
/** So far behind one begins that lags. */
const LAG_HEIGHTS = 12n;

/** How a node may be of no use though it is there: it only pings, asks for heights that are long past, or for those of another chain. */
export const RESTS = ['pings', 'lags', 'astray'] as const;
export type Rest = (typeof RESTS)[number];

interface Ask {
  readonly height: bigint;
  readonly round: number;
  readonly step: SignStep;
  /** Undefined is nil. */
  readonly block: BlockId | undefined;
  /** Of a proposal. */
  readonly polRound: number;
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
  /** How far the chain is that it follows; undefined: it goes its own way. */
  readonly head: () => AskedPlace | undefined;
  /** Told of everything that it asks for, and of every signature that it gets. */
  readonly overheard: (signBytes: SignBytes) => void;
  readonly got: (signBytes: Uint8Array, signature: Uint8Array) => void;
  readonly coverage: Coverage;
  /** Its process was stopped, or its clock is wrong: it cannot be in time. */
  readonly excused: (link: string) => boolean;
  /** Something a promise reaction found: rejects the whole run. */
  readonly failed: (error: unknown) => void;
}

interface Resting {
  readonly how: Rest;
  readonly untilMs: number;
  /** Where it was. */
  readonly from: bigint;
  /** So often it has asked meanwhile. */
  asked: bigint;
}

interface Dial {
  readonly link: string;
  readonly accept: (channel: ByteChannel) => void;
  readonly fail: (code: string) => void;
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
  readonly #backlog: Dial[] = [];
  #connection: Connection | undefined;
  #waiting: ((response: PrivvalResponse | undefined) => void) | undefined;
  #reader = new MessageReader();
  #last: Ask | undefined;
  /** The last was not answered. */
  #lost = false;
  /** Another node of this key was, instead. */
  #unserved = false;
  #cursor: { height: bigint; round: number; step: SignStep };
  /** Heights whose precommit was signed. */
  signedHeights = 0;
  /** It asks for no height far above its own: a cosigner that never signed would be lost up there, once nobody mends it. */
  inStep = false;
  /** In the last phase what it asks must be signed. */
  wellBehaved = false;
  /** It asks for nothing. */
  resting = false;
  /** It has lost its data, and comes to these heights once more; undefined: it is in step. */
  #behind: { readonly from: bigint; readonly to: bigint } | undefined;
  /** Until then nobody reaches it. */
  #awayUntilMs = 0;
  /** It is of no use. */
  #rest: Resting | undefined;
  /** All votes of this place of its chain were asked for. */
  #voted: AskedPlace | undefined;

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
  connect(link: string, clock: ProcessClock, abort: AbortSignal): Promise<ByteChannel> {
    return new Promise((resolve, reject) => {
      const accept = (channel: ByteChannel): void => clock.arrive(() => resolve(attended(channel, clock)));
      const fail = (code: string): void => {
        const index = this.#backlog.indexOf(entry);
        if (index >= 0) this.#backlog.splice(index, 1);
        reject(Object.assign(new Error('no connection'), { code }));
      };
      const entry = { link, accept, fail };
      if (this.#isAway) return fail('ECONNREFUSED');
      this.#backlog.push(entry);
      const giveUp = (): void => fail('ECONNRESET');
      if (abort.aborted) giveUp();
      else abort.addEventListener('abort', giveUp);
      this.#acceptNext();
    });
  }

  /** Its kernel closes what it had open, also what it had not turned to yet. */
  linkDied(link: string): void {
    if (this.#connection?.link === link) this.#connection.channel.close();
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

  get #isAway(): boolean {
    return this.#deps.clock.nowMs() < this.#awayUntilMs;
  }

  /** Nobody reaches it for so long. */
  goAway(forMs: number): void {
    const { clock, trace } = this.#deps;
    trace(`node ${this.name} is away for ${forMs.toFixed(0)} ms`);
    this.#awayUntilMs = clock.nowMs() + forMs;
    for (const { fail } of this.#backlog.splice(0)) clock.schedule(1, () => fail('ECONNRESET'));
    this.#connection?.channel.close();
  }

  /** It is there and of no use for so long. */
  rest(how: Rest, forMs: number): void {
    const { clock, trace } = this.#deps;
    trace(`node ${this.name} ${how} for ${forMs.toFixed(0)} ms, from height ${this.#cursor.height} on`);
    this.#rest = { how, untilMs: clock.nowMs() + forMs, from: this.#cursor.height, asked: 0n };
  }

  #acceptNext(): void {
    if (this.#connection !== undefined || this.#isAway) return;
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
      const response = decodeResponse(message);
      if (response.kind !== 'ping') this.#settle(response);
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
      if (this.#connection === undefined || this.resting) continue;
      if (this.#rest !== undefined && this.#deps.clock.nowMs() >= this.#rest.untilMs) this.#rest = undefined;
      if (this.#rest?.how === 'pings') {
        this.#connection.channel.write(frameMessage(encodeRequest({ kind: 'ping' })));
        continue;
      }
      const ask = this.#rest === undefined ? this.#nextAsk() : this.#uselessAsk(this.#rest);
      if (ask === undefined) continue;
      if (this.#rest === undefined) this.#last = ask;
      this.#deps.overheard(this.#signBytes(ask, ask.timestamp));
      const response = await this.#request(ask);
      this.#lost = response === undefined;
      this.#judge(ask, response);
    }
  }

  /** Undefined: the connection broke before an answer came. */
  #request(ask: Ask): Promise<PrivvalResponse | undefined> {
    const { clock, checker, failed } = this.#deps;
    const { channel, link } = this.#connection!;
    return new Promise((resolve) => {
      const timer = clock.schedule(PATIENCE_MS, () => {
        const why = `${link} left node ${this.name} without an answer for ${PATIENCE_MS} ms`;
        try {
          checker.demand('answered-in-time', this.#deps.excused(link), why);
        } catch (error) {
          failed(error);
        }
        channel.close();
      });
      this.#waiting = (response) => {
        timer.cancel();
        resolve(response);
      };
      channel.write(frameMessage(encodeRequest(this.#message(ask))));
    });
  }

  #judge(ask: Ask, response: PrivvalResponse | undefined): void {
    const { checker, trace, coverage } = this.#deps;
    const place = `${this.#chainId} ${ask.height}/${ask.round}/${ask.step}`;
    const outcome =
      response === undefined
        ? 'lost'
        : response.kind === 'refused'
          ? `refused ${response.error.description.slice(0, 60)}`
          : response.kind;
    const block = ask.block === undefined ? 'nil' : Buffer.from(ask.block.hash.subarray(0, 3)).toString('hex');
    trace(`node ${this.name} ${place} ${block}: ${outcome}`);
    this.#unserved = response?.kind === 'refused' && response.error.description.startsWith('NODE_NOT_SERVED');
    if (response?.kind === 'refused')
      coverage.note(`node hears ${/^[A-Z_]+/.exec(response.error.description)?.[0] ?? 'no code'}`);
    else coverage.note(`node hears ${response?.kind ?? 'nothing'}`);
    if (response?.kind === 'signedVote') {
      this.#got(this.#signBytes(ask, response.timestamp), response.signature);
      if (ask.extension !== undefined) {
        const bytes = extensionSignBytes({ chainId: this.#chainId, ...ask, extension: ask.extension });
        checker.extensionReleased(this.#chainId, bytes, response.extensionSignature);
      }
      if (ask.step === STEP_PRECOMMIT) this.signedHeights++;
    }
    if (response?.kind === 'signedProposal') this.#got(this.#signBytes(ask, ask.timestamp), response.signature);
  }

  #got({ bytes }: SignBytes, signature: Uint8Array): void {
    this.#deps.checker.released(this.#chainId, bytes, signature);
    this.#deps.got(bytes, signature);
  }

  #uselessAsk(rest: Resting): Ask {
    const { how, from } = rest;
    const start = how === 'astray' ? from + ASTRAY_HEIGHTS : from - LAG_HEIGHTS;
    const most = how === 'astray' ? start + rest.asked : from - 1n;
    const height = start + rest.asked++;
    const one = { round: 0, step: STEP_PREVOTE, block: this.#block(), polRound: -1, timestamp: this.#now() } as const;
    return { ...one, height: highest(1n, height > most ? most : height), extension: undefined };
  }

  /** Undefined: all that there is to ask for has been. */
  #nextAsk(): Ask | undefined {
    const { random } = this.#deps;
    const last = this.#last;
    const roll = this.wellBehaved || last === undefined ? 1 : random.unit();
    // Whoever comes back without a memory proposes, or votes, anew at the place where it was.
    if (last !== undefined && this.#lost && roll < 0.3) return { ...last, block: this.#block() };
    if (last === undefined || roll >= 0.3) return this.#advance();
    if (roll < 0.06) return last;
    if (roll < 0.12) return { ...last, timestamp: this.#now() };
    if (roll < 0.17)
      return { ...last, block: last.block === undefined ? this.#block() : undefined, extension: undefined };
    if (roll < 0.2) return { ...last, block: this.#block() };
    if (roll < 0.26) return this.#almostTheSame(last);
    if (roll < 0.27 && !this.inStep) return { ...last, height: last.height + 200_000n, timestamp: this.#now() };
    if (last.height > 3n) return { ...last, height: last.height - 1n, timestamp: this.#now() };
    return last;
  }

  /** Another block that differs in one thing. */
  #almostTheSame(last: Ask): Ask {
    const { random } = this.#deps;
    const { block } = last;
    const timestamp = this.#now();
    if (block === undefined) return { ...last, timestamp };
    switch (random.pick(['hash', 'partsTotal', 'partsHash', 'polRound'] as const)) {
      case 'hash':
        return { ...last, timestamp, block: { ...block, hash: random.bytes(32) } };
      case 'partsTotal':
        return { ...last, timestamp, block: { ...block, partsTotal: block.partsTotal + 1 } };
      case 'partsHash':
        return { ...last, timestamp, block: { ...block, partsHash: random.bytes(32) } };
      case 'polRound':
        return { ...last, timestamp, polRound: last.polRound + 1 };
    }
  }

  #advance(): Ask | undefined {
    const { random } = this.#deps;
    const head = this.wellBehaved ? undefined : this.#deps.head();
    if (head !== undefined) {
      if (samePlace(head, this.#voted)) return undefined;
      if (!samePlace(head, this.#cursor))
        this.#cursor = { height: head.height, round: head.round, step: STEP_PROPOSAL };
      if (this.#cursor.step === STEP_PRECOMMIT) this.#voted = { height: head.height, round: head.round };
    }
    // Two nodes share a key: what one has asked for stands in the other's way, unless it is well behaved.
    if (this.wellBehaved && this.#cursor.step === STEP_PROPOSAL) {
      this.#cursor = { height: this.#nextHeight(), round: 0, step: STEP_PROPOSAL };
    }
    const { height, round, step } = this.#cursor;
    const nil = !this.wellBehaved && step !== STEP_PROPOSAL && random.chance(0.1);
    const block = nil ? undefined : this.#block();
    const extension =
      step === STEP_PRECOMMIT && block !== undefined && random.chance(0.3) ? random.bytes(random.below(40)) : undefined;
    if (step !== STEP_PRECOMMIT) this.#cursor = { height, round, step: (step + 1) as SignStep };
    else if (nil) this.#cursor = { height, round: round + 1, step: STEP_PROPOSAL };
    else this.#cursor = { height: height + 1n, round: 0, step: STEP_PROPOSAL };
    return { height, round, step, block, polRound: -1, timestamp: this.#now(), extension };
  }

  #nextHeight(): bigint {
    // One that is not served goes no faster than its chain.
    if (this.#unserved) return this.#cursor.height;
    if (this.#behind === undefined) return this.#deps.newHeight();
    const { from, to } = this.#behind;
    return this.#cursor.height < from || this.#cursor.height > to ? from : this.#cursor.height;
  }

  /** Until it is in step again it asks for other blocks at these heights, and for none above. */
  fallBehind(from: bigint, to: bigint): void {
    this.#behind = { from, to };
    this.#cursor = { height: from, round: 0, step: STEP_PROPOSAL };
  }

  catchUp(): void {
    this.#behind = undefined;
  }

  /** Ends the mischief: from now on it asks for a new height each time, and for nothing else. */
  behave(): void {
    this.wellBehaved = true;
    this.#rest = undefined;
    this.#awayUntilMs = 0;
    this.#cursor = { ...this.#cursor, step: STEP_PROPOSAL };
  }

  get height(): bigint {
    return this.#cursor.height;
  }

  #block(): BlockId {
    const hash = this.#deps.random.bytes(32);
    return { hash, partsTotal: 1, partsHash: hash };
  }

  #now(): Timestamp {
    const nanos = BigInt(Math.round(this.#deps.clock.nowMs() * 1e6));
    return { seconds: 1_700_000_000n + nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
  }

  #signBytes(ask: Ask, timestamp: Timestamp): SignBytes {
    const { height, round, step, block: blockId, polRound } = ask;
    const common = { chainId: this.#chainId, height, round, blockId, timestamp };
    return SignBytes.encode(
      step === STEP_PROPOSAL ? { ...common, step, polRound: BigInt(polRound) } : { ...common, step },
    );
  }

  #message(ask: Ask): PrivvalRequest {
    const { height, round, step, timestamp, polRound } = ask;
    const empty = new Uint8Array(0);
    const blockId = ask.block ?? { hash: empty, partsTotal: 0, partsHash: empty };
    const chainId = this.#chainId;
    if (step === STEP_PROPOSAL) {
      const proposal = { ...EMPTY_PROPOSAL, type: 32, height, round, polRound, blockId, timestamp };
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

function samePlace(one: AskedPlace, other: AskedPlace | undefined): boolean {
  return one.height === other?.height && one.round === other.round;
}

function highest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** A link's end of a connection: what comes is seen while its process runs. */
function attended(channel: ByteChannel, clock: ProcessClock): ByteChannel {
  return {
    write: (bytes) => channel.write(bytes),
    close: () => channel.close(),
    start: (handlers) =>
      channel.start({
        bytes: (read) => clock.arrive(() => handlers.bytes(read)),
        closed: (reason) => clock.arrive(() => handlers.closed(reason)),
      }),
  };
}
