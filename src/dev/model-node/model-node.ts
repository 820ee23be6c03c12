import type { ErrorCode } from '../../shared/error-codes.js';
import { HekateError, isHekateError } from '../../shared/errors.js';
import { equalBytes } from '../../shared/bytes.js';
import type { Clock } from '../../shared/ports/clock.js';
import { STEP_PRECOMMIT, STEP_PREVOTE, type BlockId, type SignStep } from '../../shared/privval/canonical.js';
import { askForSignature, type AskResult } from './ask.js';
import type { HeightStore } from './height-store.js';
import { LatencySamples } from './latency-samples.js';
import { ModelChain, type Ballot, type NodeVersion } from './model-chain.js';
import type { SignerEndpoint } from './signer-endpoint.js';
import { Waits } from './wait.js';

/** How many times a node asks for its key before it makes blocks. */
const PUB_KEY_REQUESTS_AT_START = 4;

export interface Ballotted {
  readonly step: SignStep;
  readonly height: bigint;
  readonly round: number;
  /** Undefined for nil. */
  readonly blockId: BlockId | undefined;
  /** From the first try to the checked answer, as consensus sees it. */
  readonly latencyMs: number;
}

export interface ModelNodeEvents {
  publicKey?(publicKey: Uint8Array): void;
  signed?(ballot: Ballotted): void;
  /** `reason` is what the signer said, or why there was no answer. */
  missed?(ballot: Ballotted, reason: string): void;
  block?(height: bigint, round: number): void;
  /** The signer does not answer, and is asked again: told once for each reason, until it has answered. */
  waiting?(reason: HekateError): void;
}

export interface ModelNodeOptions {
  readonly chainId: string;
  readonly version: NodeVersion;
  /** From the start of one block to the start of the next; 0: as fast as they can be signed. */
  readonly blockMs: number;
  /** Pause after a round without a block. */
  readonly roundMs: number;
  readonly extension?: (height: bigint) => Uint8Array;
  /** The validator's key as the genesis file has it; without it, the signer's first word is believed. */
  readonly publicKey?: Uint8Array;
  /** Waits for a signer instead of failing when none is there within 3 s, as real nodes do. */
  readonly waitForSigner: boolean;
}

export interface ModelNodeStats {
  /** The last one committed. */
  readonly height: bigint;
  readonly blocks: number;
  readonly signed: number;
  readonly missed: number;
  /** Of the missed: signatures that did not hold. */
  readonly badSignatures: number;
}

export interface ModelNodeDeps {
  readonly endpoint: SignerEndpoint;
  readonly heights: HeightStore;
  readonly clock: Clock;
  readonly events?: ModelNodeEvents;
}

/**
 * A chain of one validator whose key is behind privval: proposal, prevote, precommit, block, and again. It keeps the rules
 * of Tendermint's consensus that a signer can see: once it prevoted a block it holds on to it in later rounds.
 */
export class ModelNode {
  readonly latencies = new LatencySamples();
  readonly #options: ModelNodeOptions;
  readonly #deps: ModelNodeDeps;
  readonly #events: ModelNodeEvents;
  readonly #chain: ModelChain;
  readonly #waits: Waits;
  readonly #stats = { height: 0n, blocks: 0, signed: 0, missed: 0, badSignatures: 0 };
  #publicKey: Uint8Array | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #waitingFor = new Set<ErrorCode>();

  constructor(options: ModelNodeOptions, deps: ModelNodeDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#events = deps.events ?? {};
    this.#chain = new ModelChain({ ...options, extension: options.extension });
    this.#waits = new Waits(deps.clock);
  }

  get stats(): ModelNodeStats {
    return { ...this.#stats };
  }

  /**
   * Makes blocks until `blocks` of them are made or stop() is called. Rejects where a real node would exit: SIGNER_ABSENT or
   * a refusal at the start, a key that is not the validator's, an extension signature that breaks consensus.
   */
  run(blocks = Infinity): Promise<void> {
    this.#running = this.#run(blocks);
    return this.#running;
  }

  /** Ends after what is being signed; the endpoint is its owner's to stop. */
  async stop(): Promise<void> {
    this.#waits.stop();
    await this.#running.catch(() => undefined);
  }

  async #run(blocks: number): Promise<void> {
    const { clock, heights } = this.#deps;
    this.#stats.height = await heights.load();
    const publicKey = await this.#askPublicKeyAtStart();
    if (publicKey === undefined) return;
    for (let made = 0; made < blocks && !this.#waits.stopped; made++) {
      const startMs = clock.nowMs();
      const height = this.#stats.height + 1n;
      if (!(await this.#makeBlock(height, publicKey))) return;
      await heights.save(height);
      await this.#refreshPublicKey();
      if (made + 1 < blocks) await this.#pause(this.#options.blockMs - (clock.nowMs() - startMs));
    }
  }

  /** False when stopped before there was a block. */
  async #makeBlock(height: bigint, publicKey: Uint8Array): Promise<boolean> {
    let locked: { readonly blockId: BlockId; readonly round: number } | undefined;
    for (let round = 0; !this.#waits.stopped; round++) {
      const blockId = locked?.blockId ?? this.#chain.blockAt(height, round);
      const cast = (ballot: Ballot): Promise<boolean> => this.#cast(ballot, publicKey);
      const proposed = await cast(this.#chain.proposal(height, round, blockId, locked?.round ?? -1));
      const prevoted = await cast(this.#vote(STEP_PREVOTE, height, round, proposed ? blockId : undefined));
      if (prevoted && proposed) locked = { blockId, round };
      const agreed = prevoted && proposed;
      const precommitted = await cast(this.#vote(STEP_PRECOMMIT, height, round, agreed ? blockId : undefined));
      if (agreed && precommitted) {
        this.#stats.height = height;
        this.#stats.blocks++;
        this.#events.block?.(height, round);
        return true;
      }
      await this.#pause(this.#options.roundMs);
    }
    return false;
  }

  #vote(
    step: typeof STEP_PREVOTE | typeof STEP_PRECOMMIT,
    height: bigint,
    round: number,
    blockId: BlockId | undefined,
  ): Ballot {
    return this.#chain.vote(step, height, round, blockId, this.#deps.clock.nowMs());
  }

  /** Whether it was signed; a vote that was not is lost, and the round goes on without it. */
  async #cast(ballot: Ballot, publicKey: Uint8Array): Promise<boolean> {
    if (this.#waits.stopped) return false;
    const { clock, endpoint } = this.#deps;
    const startMs = clock.nowMs();
    const result = await askForSignature(ballot, {
      endpoint,
      publicKey,
      version: this.#options.version,
      waits: this.#waits,
      unanswered: (reason) => this.#tellWaiting(reason),
    });
    const { step, height, round, blockId } = ballot.canonical;
    const latencyMs = clock.nowMs() - startMs;
    return this.#count(result, { step, height, round, blockId, latencyMs });
  }

  #tellWaiting(reason: HekateError): void {
    if (this.#waits.stopped || this.#waitingFor.has(reason.code)) return;
    this.#waitingFor.add(reason.code);
    this.#events.waiting?.(reason);
  }

  #count(result: AskResult, ballot: Ballotted): boolean {
    if (result.kind !== 'unanswered') this.#waitingFor.clear();
    if (result.kind === 'signed') {
      this.#stats.signed++;
      this.latencies.add(ballot.latencyMs);
      this.#events.signed?.(ballot);
      return true;
    }
    // Being stopped is nobody's fault.
    if (result.kind === 'stopped') return false;
    this.#stats.missed++;
    if (result.kind === 'badSignature') this.#stats.badSignatures++;
    this.#events.missed?.(ballot, result.reason);
    return false;
  }

  /** Undefined when stopped before there was a signer. */
  async #askPublicKeyAtStart(): Promise<Uint8Array | undefined> {
    for (let asked = 0; asked < PUB_KEY_REQUESTS_AT_START;) {
      try {
        await this.#askPublicKey();
        asked++;
      } catch (error) {
        if (this.#waits.stopped) return undefined;
        const final = !isHekateError(error) || error.code === 'SIGNER_ANSWER';
        if (final || !this.#options.waitForSigner) throw error;
      }
    }
    return this.#publicKey;
  }

  /** Nothing happens when it fails: the key of the height before is used on (consensus/state.go). */
  async #refreshPublicKey(): Promise<void> {
    try {
      await this.#askPublicKey();
    } catch (error) {
      if (!isHekateError(error)) throw error;
    }
  }

  async #askPublicKey(): Promise<void> {
    const { chainId, publicKey: expected } = this.#options;
    const response = await this.#deps.endpoint.request({ kind: 'pubKey', chainId });
    if (response.kind === 'refused')
      throw new HekateError('SIGNER_ANSWER', `the signer refuses its public key: ${response.error.description}`);
    if (response.kind !== 'pubKey')
      throw new HekateError('SIGNER_ANSWER', `asked for a key, the signer answers ${response.kind}`);
    const known = expected ?? this.#publicKey;
    if (known !== undefined && !equalBytes(known, response.publicKey))
      throw new HekateError('SIGNER_ANSWER', 'the signer has another key than the validator');
    if (this.#publicKey === undefined) this.#events.publicKey?.(response.publicKey);
    this.#publicKey = response.publicKey;
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await this.#waits.sleep(ms);
  }
}
