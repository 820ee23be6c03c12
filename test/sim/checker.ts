import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import { equalBytes, toHex } from '../../src/shared/bytes.js';
import { verifySignature } from '../../src/shared/ed25519/openssl-verify.js';
import type { Canonical } from '../../src/shared/privval/canonical.js';
import { sameExceptTimestamp, SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { compareHrs, describePlace, type Watermark } from '../../src/shared/watermark/watermark.js';

export type RuleName =
  | 'no-equivocation'
  | 'nonce-once'
  | 'watermark-monotone'
  | 'durable-first'
  | 'verified'
  | 'answered-in-time'
  | 'one-dialler'
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

/**
 * Judges a run by what left the processes and what was on the disks, never by what the code believes about itself.
 * Throws RuleViolation at the first rule that is broken.
 */
export class Checker {
  readonly #publicKey: Uint8Array;
  /** What was signed, by chain/height/round/step. */
  readonly #signed = new Map<string, Canonical>();
  /** What each nonce commitment was used for. */
  readonly #nonceUse = new Map<string, string>();
  readonly #highest = new Map<number, Watermark>();
  signatures = 0;

  constructor(publicKey: Uint8Array) {
    this.#publicKey = publicKey;
  }

  /** A share leaves a cosigner. `durable` is what its disk would hold after a power cut now. */
  shareLeaves(
    cosigner: number,
    request: LinkMessage | undefined,
    message: CosignerMessage,
    durable: () => Watermark,
  ): void {
    if (message.kind !== 'signed' || request?.kind !== 'signRequest') return;
    if (!equalBytes(durable().signBytes?.bytes ?? new Uint8Array(0), request.signBytes)) {
      throw new RuleViolation('durable-first', `cosigner ${cosigner} gave a share whose watermark was not on its disk`);
    }
    const own = request.signers.find((signer) => signer.id === cosigner);
    const context = toHex(request.signBytes) + request.signers.map((signer) => toHex(signer.vote.hiding)).join();
    this.#useNonce(cosigner, own?.vote.hiding, `vote ${context}`);
    if (message.extension !== undefined) this.#useNonce(cosigner, own?.extension?.hiding, `extension ${context}`);
  }

  #useNonce(cosigner: number, hiding: Uint8Array | undefined, use: string): void {
    const nonce = `${cosigner} ${toHex(hiding ?? new Uint8Array(0))}`;
    if (this.#nonceUse.has(nonce)) throw new RuleViolation('nonce-once', `cosigner ${cosigner} used a nonce twice`);
    this.#nonceUse.set(nonce, use);
  }

  /** A cosigner's durable watermark, looked at whenever something may have changed it. */
  watermarkSeen(cosigner: number, watermark: Watermark): void {
    const before = this.#highest.get(cosigner);
    if (before !== undefined && compareHrs(watermark, before) < 0) {
      const message = `cosigner ${cosigner} went from ${describePlace(before)} to ${describePlace(watermark)}`;
      throw new RuleViolation('watermark-monotone', message);
    }
    const [is, was] = [watermark.signBytes?.says, before?.signBytes?.says];
    if (before !== undefined && was !== undefined && compareHrs(watermark, before) === 0) {
      // A floor in its place: a signature for another block was shown to it.
      const kept = is === undefined || sameExceptTimestamp(is, was);
      this.demand('watermark-monotone', kept, `cosigner ${cosigner} forgot its vote at ${describePlace(before)}`);
    }
    this.#highest.set(cosigner, watermark);
  }

  /** A node got a signature for these sign bytes. */
  released(signBytes: Uint8Array, signature: Uint8Array): void {
    if (!verifySignature(this.#publicKey, signBytes, signature)) {
      throw new RuleViolation('verified', 'a node got a signature that does not verify');
    }
    const canonical = SignBytes.parse(signBytes).says;
    const place = `${canonical.chainId} ${describePlace(canonical)}`;
    const before = this.#signed.get(place);
    if (before !== undefined && !sameExceptTimestamp(before, canonical)) {
      const blocks = `${blockName(before)} and ${blockName(canonical)}`;
      throw new RuleViolation('no-equivocation', `two signatures at ${place}: for ${blocks}`);
    }
    this.#signed.set(place, canonical);
    this.signatures++;
  }

  extensionReleased(signBytes: Uint8Array, signature: Uint8Array): void {
    const holds = verifySignature(this.#publicKey, signBytes, signature);
    this.demand('verified', holds, 'a node got a vote extension signature that does not verify');
  }

  /** Anything that must hold, with the rule it belongs to. */
  demand(rule: RuleName, holds: boolean, message: string): void {
    if (!holds) throw new RuleViolation(rule, message);
  }
}

function blockName(canonical: Canonical): string {
  return canonical.blockId === undefined ? 'nil' : toHex(canonical.blockId.hash).slice(0, 10);
}
