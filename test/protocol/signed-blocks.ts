import { Attempt, type GroupKey } from '../../sentry-link/signing/attempt.js';
import { toHex } from '../../src/shared/bytes.js';
import type { SignedReply, SignRequest } from '../../src/shared/coordination/messages.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { invariant } from '../../src/shared/invariant.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';

const group = await loadGroup();

/**
 * For which blocks there is a signature, as whoever saw every share could show: those that belong together are added up, and
 * OpenSSL says whether that is one. What the processes believe does not count here.
 */
export class SignedBlocks {
  readonly #key: GroupKey;
  readonly #attempts = new Map<string, Attempt>();
  readonly #signed = new Map<number, Set<string>>();
  readonly #shares = new Set<string>();

  constructor(key: GroupKey) {
    this.#key = key;
  }

  note(cosigner: number, request: SignRequest, reply: SignedReply): void {
    const signBytes = SignBytes.parse(request.signBytes);
    this.#shares.add(shareName(cosigner, signBytes));
    // Shares add up where bytes, signers and all their nonces are the same.
    const points = request.signers.map(({ id, vote }) => `${id} ${toHex(vote.hiding)} ${toHex(vote.binding)}`);
    const name = [toHex(request.signBytes), ...points].join();
    const attempt = this.#attempts.get(name) ?? new Attempt(request, signBytes, undefined);
    this.#attempts.set(name, attempt);
    if (!attempt.isWaitingFor(cosigner) || !attempt.add(cosigner, reply)) return;
    invariant(attempt.finish(group, this.#key).kind === 'complete', 'no cosigner of these tests makes wrong shares');
    const height = Number(signBytes.says.height);
    this.#signed.set(height, (this.#signed.get(height) ?? new Set()).add(letterOf(signBytes)));
  }

  /** Letters, as in votes.ts. */
  at(height: number): readonly string[] {
    return [...(this.#signed.get(height) ?? [])].sort();
  }

  /** Whether this cosigner gave a share for that block, be it that nothing came of it. */
  hasShare(cosigner: number, height: number, block: string): boolean {
    return this.#shares.has(`${cosigner} ${height} ${block}`);
  }
}

function shareName(cosigner: number, signBytes: SignBytes): string {
  return `${cosigner} ${signBytes.says.height} ${letterOf(signBytes)}`;
}

function letterOf({ says }: SignBytes): string {
  return String.fromCharCode(says.blockId?.hash[0] ?? 0);
}
