import { toHex } from '../../src/shared/bytes.js';
import { FIXES, type ErrorCode } from '../../src/shared/error-codes.js';
import type { HekateError } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log, LogFields } from '../../src/shared/ports/log.js';
import { STEP_NAMES, type SignStep } from '../../src/shared/privval/canonical.js';
import { describePlace } from '../../src/shared/watermark/watermark.js';
import type { SignRequestOfNode } from '../vote-to-sign.js';

const MINUTE_MS = 60_000;
/** A node that asks for ever new nonsense gets no more lines than this; the rest is counted. */
const MAX_WARNINGS_PER_MINUTE = 30;
const BLOCK_NAME_BYTES = 5;
/** CometBFT's SignedMsgType (types.proto). */
const PROPOSAL_TYPE = 32;
const STEP_OF_TYPE: ReadonlyMap<number, SignStep> = new Map<number, SignStep>([
  [PROPOSAL_TYPE, 1],
  [1, 2],
  [2, 3],
]);

export interface NodeCounters {
  readonly signed: number;
  readonly refused: number;
  readonly refusedByCode: ReadonlyMap<ErrorCode, number>;
  readonly pings: number;
  readonly pubKeys: number;
  /** Outcomes that came when the node's connection was gone; they are among the signed and refused. */
  readonly unanswered: number;
  /** Connections that we ended because of what the node sent. */
  readonly broken: number;
  readonly lastSignedHeight: bigint;
  readonly lastLatencyMs: number;
}

/** From the arrival of a request to its outcome. */
export interface Timing {
  readonly latencyMs: number;
  /** Whether the node was still there to be answered. */
  readonly answered: boolean;
}

/**
 * What became of everything that one node asked, over all its connections: the single place where outcomes are logged
 * and counted. Signed votes get the line that operators of TMKMS know; a refusal is told once.
 */
export class NodeRecord {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #fields: LogFields;
  /** Tells each refusal once. */
  readonly #limiter: LogLimiter;
  /** Why it is not served, as it was told last; undefined once it is. */
  #notServed: string | undefined;
  #timesNotServed = 0;
  readonly #refusedByCode = new Map<ErrorCode, number>();
  readonly #counters = {
    signed: 0,
    refused: 0,
    pings: 0,
    pubKeys: 0,
    unanswered: 0,
    broken: 0,
    lastSignedHeight: 0n,
    lastLatencyMs: 0,
  };

  /** `fields` go on every line: chain and node. */
  constructor(log: Log, clock: Clock, fields: LogFields) {
    this.#log = log;
    this.#clock = clock;
    this.#fields = fields;
    this.#limiter = new LogLimiter(clock, Infinity, { newPerMinute: MAX_WARNINGS_PER_MINUTE });
  }

  counters(): NodeCounters {
    return { ...this.#counters, refusedByCode: new Map(this.#refusedByCode) };
  }

  ping(): void {
    this.#counters.pings++;
  }

  pubKey(): void {
    this.#counters.pubKeys++;
  }

  signed(request: SignRequestOfNode, { latencyMs, answered }: Timing): void {
    this.#counters.signed++;
    this.#notServed = undefined;
    this.#counters.lastSignedHeight = (request.kind === 'signVote' ? request.vote : request.proposal).height;
    this.#counters.lastLatencyMs = latencyMs;
    if (!answered) this.#counters.unanswered++;
    const fields = { ...this.#fields, latencyMs: Math.round(latencyMs * 1000) / 1000, ...(!answered && { answered }) };
    this.#log.info(`signed ${tmkmsName(request)} (${Math.round(latencyMs)} ms)`, fields);
  }

  /** `what` names the request in words; `cause` must be safe to log. */
  refused(what: string, code: ErrorCode, cause: string, answered = true): void {
    this.#counters.refused++;
    if (!answered) this.#counters.unanswered++;
    this.#refusedByCode.set(code, (this.#refusedByCode.get(code) ?? 0) + 1);
    if (code === 'NODE_NOT_SERVED') return this.#tellNotServed(cause);
    this.#warnOnce(`${code} ${what}`, `refused ${what}`, { code, cause, fix: FIXES[code] });
  }

  /** That is a state, and not about this request or that. */
  #tellNotServed(cause: string): void {
    if (cause === this.#notServed) return;
    this.#notServed = cause;
    const fields = { ...this.#fields, code: 'NODE_NOT_SERVED', cause, fix: FIXES.NODE_NOT_SERVED };
    const write = (event: string, all: LogFields): void => this.#log.info(event, all);
    this.#limiter.write(`not served ${++this.#timesNotServed}`, write, 'not the node that is served', fields);
  }

  /** We ended the connection: told once a minute for each reason. */
  broken({ code, message, fix }: HekateError): void {
    this.#counters.broken++;
    const minute = Math.floor(this.#clock.nowMs() / MINUTE_MS);
    this.#warnOnce(`${code} in minute ${minute}`, 'the connection to the node is ended', { code, cause: message, fix });
  }

  #warnOnce(kind: string, event: string, fields: LogFields): void {
    const write = (text: string, all: LogFields): void => this.#log.warn(text, all);
    this.#limiter.write(kind, write, event, { ...this.#fields, ...fields });
  }
}

/** `height 4069466, round 0, prevote for block 2A0D4332F9`, as places are named everywhere. */
export function describeRequest(request: SignRequestOfNode): string {
  const { type, height, round, block } = read(request);
  const step = STEP_OF_TYPE.get(type);
  const place =
    step === undefined || height < 1n
      ? `a vote of type ${type} at height ${height}, round ${round}`
      : describePlace({ height, round, step });
  return `${place} for ${block === undefined ? 'nil' : `block ${block}`}`;
}

/** `Prevote:2A0D4332F9 at h/r/s 4069466/0/1`, as in TMKMS's log; `<nil>` for no block. */
function tmkmsName(request: SignRequestOfNode): string {
  const { type, height, round, block = '<nil>' } = read(request);
  const step = must(STEP_OF_TYPE.get(type), 'what was signed has a step');
  // TMKMS counts the steps of a round from 0.
  return `${STEP_NAMES[step]}:${block} at h/r/s ${height}/${round}/${step - 1}`;
}

interface Read {
  readonly type: number;
  readonly height: bigint;
  readonly round: number;
  /** The beginning of its hash; undefined for nil. */
  readonly block: string | undefined;
}

function read(request: SignRequestOfNode): Read {
  const message = request.kind === 'signVote' ? request.vote : request.proposal;
  const { height, round, blockId } = message;
  // A proposal's own type field means nothing.
  const type = request.kind === 'signVote' ? message.type : PROPOSAL_TYPE;
  const block = toHex(blockId.hash.subarray(0, BLOCK_NAME_BYTES)).toUpperCase();
  return { type, height, round, block: block === '' ? undefined : block };
}
