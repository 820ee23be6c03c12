import type { NonceBatch, NonceCommitment, SignedReply, SignRequest } from '../../src/shared/coordination/messages.js';
import { equalBytes, toHex } from '../../src/shared/bytes.js';
import { verifySignature } from '../../src/shared/ed25519/openssl-verify.js';
import type { Group } from '../../src/shared/frost/group.js';
import { STEP_PRECOMMIT, STEP_PROPOSAL, type Canonical } from '../../src/shared/privval/canonical.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { answerBytes, type WaitAnswer } from '../../src/shared/watermark/wait-messages.js';
import { signatureOf } from '../support/test-keys.js';
import { describePlace, type Watermark } from '../../src/shared/watermark/watermark.js';
import type { GroupKey } from '../../sentry-link/signing/attempt.js';
import { HeightBudget } from './height-budget.js';
import { ShareLedger } from './share-ledger.js';

export type RuleName =
  | 'no-equivocation'
  | 'nonce-once'
  | 'nonce-bound'
  | 'valid-points'
  | 'watermark-monotone'
  | 'watermark-explained'
  | 'height-jump'
  | 'height-pace'
  | 'durable-first'
  | 'right-key'
  | 'signers'
  | 'extension'
  | 'lease'
  | 'verified'
  | 'answered-in-time'
  | 'one-dialler'
  | 'watched'
  | 'node-served'
  | 'falls-counted'
  | 'queue-bounded'
  | 'stays-halted'
  | 'halts-for-cause'
  | 'goes-on';

export class RuleViolation extends Error {
  override readonly name = 'RuleViolation';
  constructor(
    readonly rule: RuleName,
    message: string,
  ) {
    super(`${rule}: ${message}`);
  }
}

/** What is signed with on one chain. */
export interface CheckedChain {
  readonly chainId: string;
  readonly threshold: number;
  readonly key: GroupKey;
  readonly maxHeightJump: bigint;
  /** 0: any. */
  readonly maxHeightsPerSecond: number;
}

/** A share on its way out of an honest cosigner. */
export interface LeavingShare {
  readonly cosigner: number;
  readonly request: SignRequest;
  readonly reply: SignedReply;
  /** Commitments that were sent on this stream for the chain, by nonce id; undefined where nobody kept them. */
  readonly issued: ReadonlyMap<number, NonceCommitment> | undefined;
  /** What the cosigner's disk would hold after a power cut now; undefined: nothing that can be read. */
  readonly durable: Watermark | undefined;
}

/**
 * Judges a run by what left the processes and what was on the disks, never by what the code believes about itself, and with
 * comparisons of its own. Throws RuleViolation at the first rule that is broken.
 */
export class Checker {
  readonly #group: Group;
  readonly #chains: ReadonlyMap<string, CheckedChain>;
  readonly #ledger: ShareLedger;
  /** What was signed, by key, chain, height, round and step. */
  readonly #signed = new Map<string, Canonical>();
  /** Nonces that were used, by their commitment. */
  readonly #used = new Set<string>();
  /** Points of commitments that honest cosigners made. */
  readonly #points = new Set<string>();
  /** By cosigner and chain. */
  readonly #seen = new Map<string, Watermark>();
  readonly #budgets = new Map<string, HeightBudget>();
  readonly #asked = new Set<string>();
  readonly #shown = new Map<string, Proof[]>();
  readonly #floors = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #highest = new Map<string, bigint>();
  readonly #lastSigners = new Map<string, readonly number[]>();
  /** Signatures that nodes got. */
  signatures = 0;

  constructor(group: Group, chains: readonly CheckedChain[], liars: ReadonlySet<number>) {
    this.#group = group;
    this.#chains = new Map(chains.map((chain) => [chain.chainId, chain]));
    this.#ledger = new ShareLedger(liars);
  }

  /** A link asks an honest cosigner. */
  asked(cosigner: number, { chainId, signBytes }: SignRequest): void {
    this.#asked.add(`${cosigner} ${chainId} ${toHex(signBytes)}`);
  }

  /** A link shows an honest cosigner what may be a signature. */
  shown(cosigner: number, proof: Proof): void {
    const name = `${cosigner} ${proof.chainId} ${toHex(proof.signBytes)}`;
    const shown = this.#shown.get(name);
    if (shown === undefined) this.#shown.set(name, [proof]);
    else shown.push(proof);
  }

  /** A link brings an honest cosigner an answer to its wait. */
  answered(cosigner: number, answer: WaitAnswer): void {
    const { asker, answerer, signature, chainId, place } = answer;
    const isSaid = asker === cosigner && equalBytes(signatureOf(answerer, answerBytes(answer)), signature);
    if (isSaid) this.#answered.add(`${cosigner} ${chainId} ${describePlace(place)}`);
  }

  /** An operator sets a floor. */
  floorSet(cosigner: number, chainId: string, floor: Watermark): void {
    this.#floors.add(`${cosigner} ${chainId} ${describePlace(floor)}`);
  }

  /** The world took away what a disk held: what comes next has nothing before it. */
  forget(cosigner: number, chainId: string): void {
    this.#seen.delete(`${cosigner} ${chainId}`);
    this.#budgets.delete(`${cosigner} ${chainId}`);
  }

  /** An honest cosigner sends commitments. */
  noncesLeave({ commitments }: NonceBatch): void {
    for (const { hiding, binding } of commitments) this.#points.add(toHex(hiding)).add(toHex(binding));
  }

  /** The highest height of a chain that an honest cosigner gave a share for; 0 when there is none. */
  highest(chainId: string): bigint {
    return this.#highest.get(chainId) ?? 0n;
  }

  /** Who gave the shares of the last signature. */
  lastSigners(chainId: string): readonly number[] {
    return this.#lastSigners.get(chainId) ?? [];
  }

  shareLeaves(share: LeavingShare): void {
    const { cosigner, request, durable } = share;
    const who = `cosigner ${cosigner}`;
    const chain = this.#chains.get(request.chainId);
    const { says } = SignBytes.parse(request.signBytes);
    const ours =
      chain !== undefined &&
      says.chainId === request.chainId &&
      equalBytes(request.groupPublicKey, chain.key.publicKey);
    if (!ours) throw new RuleViolation('right-key', `${who} signs for ${says.chainId} with the key of another chain`);

    const onDisk = durable?.signBytes?.bytes ?? new Uint8Array(0);
    const covered = equalBytes(onDisk, request.signBytes);
    this.demand('durable-first', covered, `${who} gave a share whose watermark was not on its disk`);
    this.#checkSigners(share, chain.threshold);
    this.#checkExtension(share, says);
    this.#checkNonces(share);
    if (says.height > this.highest(chain.chainId)) this.#highest.set(chain.chainId, says.height);
    const commitments = request.signers.map(({ id, vote }) => ({ id, ...vote }));
    const context = { groupPublicKey: chain.key.publicKey, message: request.signBytes, commitments };
    if (!this.#ledger.add(cosigner, context)) return;
    this.#lastSigners.set(
      chain.chainId,
      request.signers.map(({ id }) => id),
    );
    this.#noteSigned(says, 'shares for it are out');
  }

  #checkSigners({ cosigner, request: { signers } }: LeavingShare, threshold: number): void {
    const ids = signers.map(({ id }) => id);
    const ascending = ids.every((id, i) => i === 0 || id > ids[i - 1]!);
    const right = ids.length === threshold && ascending && ids.includes(cosigner);
    this.demand('signers', right, `cosigner ${cosigner} gave a share for signers ${ids.join()}, ${threshold} sign`);
  }

  #checkExtension({ cosigner, request, reply }: LeavingShare, says: Canonical): void {
    const wanted = request.extension !== undefined;
    const allowed = !wanted || (says.step === STEP_PRECOMMIT && says.blockId !== undefined);
    const right = allowed && (reply.extension !== undefined) === wanted;
    this.demand('extension', right, `cosigner ${cosigner} signs an extension that its vote does not carry`);
  }

  #checkNonces({ cosigner, request, reply, issued }: LeavingShare): void {
    for (const kind of reply.extension === undefined ? (['vote'] as const) : (['vote', 'extension'] as const)) {
      for (const { id, [kind]: listed } of request.signers) {
        if (listed === undefined) throw new RuleViolation('extension', `signer ${id} committed to no extension`);
        if (id !== cosigner) {
          for (const point of [listed.hiding, listed.binding]) this.#checkPoint(cosigner, point);
          continue;
        }
        const own = issued === undefined ? listed : issued.get(listed.nonceId);
        const bound =
          own !== undefined && equalBytes(own.hiding, listed.hiding) && equalBytes(own.binding, listed.binding);
        this.demand('nonce-bound', bound, `cosigner ${id} signs with a commitment that it never gave`);
        const nonce = `${id} ${toHex(listed.hiding)}`;
        this.demand('nonce-once', !this.#used.has(nonce), `cosigner ${id} used a nonce twice`);
        this.#used.add(nonce);
      }
    }
  }

  #checkPoint(cosigner: number, point: Uint8Array): void {
    const valid = this.#points.has(toHex(point)) || this.#group.isValidPoint(point);
    this.demand('valid-points', valid, `cosigner ${cosigner} takes a commitment that is no point of the group`);
  }

  /** An honest cosigner's durable watermark, looked at whenever its disk has changed. */
  watermarkSeen(cosigner: number, chainId: string, watermark: Watermark): void {
    const name = `${cosigner} ${chainId}`;
    const before = this.#seen.get(name);
    this.#seen.set(name, watermark);
    if (before === undefined) return;
    const what = `cosigner ${cosigner} on ${chainId}`;
    const order = compare(watermark, before);
    const from = `from ${describePlace(before)} to ${describePlace(watermark)}`;
    this.demand('watermark-monotone', order >= 0, `${what} went ${from}`);
    if (order === 0) this.#checkSamePlace(what, before, watermark);
  }

  /**
   * Why it rose: somebody asked, within the limits on heights, or showed a signature, or an operator set a floor. Before
   * `watermarkSeen`, and by who has told of everything that was asked and shown. `wallSecond`: its wall clock.
   */
  riseSeen(cosigner: number, chainId: string, watermark: Watermark, wallSecond: number): void {
    const name = `${cosigner} ${chainId}`;
    const before = this.#seen.get(name);
    const chain = this.#chains.get(chainId)!;
    const budget = this.#budgets.get(name) ?? new HeightBudget(chain.maxHeightsPerSecond, wallSecond);
    this.#budgets.set(name, budget);
    if (before === undefined || compare(watermark, before) <= 0) return;
    const what = `cosigner ${cosigner} on ${chainId}`;
    const from = `from ${describePlace(before)} to ${describePlace(watermark)}`;
    const how = this.#explain(name, watermark);
    if (how === undefined)
      throw new RuleViolation('watermark-explained', `${what} went ${from}, and nobody asked it to`);
    // A key that never signed may begin anywhere.
    if ((how !== 'asked' && how !== 'answered') || (before.fresh && before.height === 0n))
      return budget.fill(wallSecond);
    const heights = watermark.height - before.height;
    this.demand('height-jump', heights <= chain.maxHeightJump, `${what} went ${heights} heights up at once`);
    this.demand('height-pace', budget.take(heights, wallSecond), `${what} went ${from} too fast`);
  }

  #checkSamePlace(what: string, before: Watermark, after: Watermark): void {
    const [was, is] = [before.signBytes?.says, after.signBytes?.says];
    // A floor in its place: a signature for another block was shown to it.
    if (was === undefined || is === undefined)
      return this.demand('watermark-monotone', is === undefined, `${what} knows a block at a floor`);
    const kept = sameBlock(was, is) && compareTimes(is, was) >= 0;
    this.demand('watermark-monotone', kept, `${what} forgot its vote at ${describePlace(before)}`);
  }

  #explain(name: string, { signBytes, ...place }: Watermark): 'asked' | 'answered' | 'proven' | 'floor' | undefined {
    const floor = this.#floors.has(`${name} ${describePlace(place)}`);
    if (floor && signBytes === undefined) return 'floor';
    if (signBytes === undefined) return this.#answered.has(`${name} ${describePlace(place)}`) ? 'answered' : undefined;
    const bytes = `${name} ${toHex(signBytes.bytes)}`;
    const proofs = this.#shown.get(bytes) ?? [];
    if (proofs.some((one) => verifySignature(one.groupPublicKey, one.signBytes, one.signature))) return 'proven';
    return this.#asked.has(bytes) ? 'asked' : undefined;
  }

  /** A node got a signature for these sign bytes. */
  released(chainId: string, signBytes: Uint8Array, signature: Uint8Array): void {
    this.#demandVerified(chainId, signBytes, signature, 'a signature');
    this.#noteSigned(SignBytes.parse(signBytes).says, 'a node has it');
    this.signatures++;
  }

  extensionReleased(chainId: string, signBytes: Uint8Array, signature: Uint8Array): void {
    this.#demandVerified(chainId, signBytes, signature, 'a vote extension signature');
  }

  #demandVerified(chainId: string, signBytes: Uint8Array, signature: Uint8Array, what: string): void {
    const holds = verifySignature(this.#chains.get(chainId)!.key.publicKey, signBytes, signature);
    this.demand('verified', holds, `a node got ${what} that does not verify`);
  }

  #noteSigned(says: Canonical, how: string): void {
    const place = `${says.chainId} ${describePlace(says)}`;
    const before = this.#signed.get(place);
    if (before !== undefined && !sameBlock(before, says)) {
      const blocks = `${describeBlock(before)} and ${describeBlock(says)}`;
      throw new RuleViolation('no-equivocation', `two signatures at ${place}: for ${blocks} (${how})`);
    }
    this.#signed.set(place, says);
  }

  /** Anything that must hold, with the rule it belongs to. */
  demand(rule: RuleName, holds: boolean, message: string): void {
    if (!holds) throw new RuleViolation(rule, message);
  }
}

/** What counts as the same: all that is signed, but for the timestamp of a vote. */
function sameBlock(a: Canonical, b: Canonical): boolean {
  return describeBlock(a) === describeBlock(b);
}

function describeBlock(says: Canonical): string {
  const { blockId } = says;
  const block =
    blockId === undefined ? 'nil' : `${toHex(blockId.hash)}:${blockId.partsTotal}:${toHex(blockId.partsHash)}`;
  if (says.step !== STEP_PROPOSAL) return block;
  return `${block} pol ${says.polRound} at ${says.timestamp.seconds}.${says.timestamp.nanos}`;
}

function compareTimes(a: Canonical, b: Canonical): number {
  const nanos = ({ timestamp }: Canonical): bigint => timestamp.seconds * 1_000_000_000n + BigInt(timestamp.nanos);
  const [one, other] = [nanos(a), nanos(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function compare(a: Watermark, b: Watermark): number {
  if (a.height !== b.height) return a.height < b.height ? -1 : 1;
  return a.round === b.round ? a.step - b.step : a.round - b.round;
}
