import { bytesOf, integerOf, readFields, readVarint } from '../support/proto-fields.js';

export type StepName = 'Proposal' | 'Prevote' | 'Precommit';

/** What there may be one signature for. */
export interface Place {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
  readonly step: StepName;
}

/** A whole block id, or the beginning of its hash as a log has it; both upper-case hex. Empty: nil. */
export type BlockName = string;

/** Two signatures of one key for one place and different blocks; timestamps are no difference (docs/invariants.md, 1). */
export interface Double {
  readonly place: string;
  /** Each block, with whom it was seen at. */
  readonly blocks: readonly string[];
}

const PREFIX_LENGTH = 10;

/**
 * Every signature that was seen anywhere: at nodes, in proofs, in what processes say that they signed; and what each cosigner
 * has stored, which is as good as a signature once as many have it as one takes.
 */
export class SignatureBook {
  private readonly signed = new Map<string, Map<BlockName, Set<string>>>();
  private readonly stored = new Map<string, Map<BlockName, Set<string>>>();
  private seen = 0;

  constructor(private readonly threshold: number) {}

  /** Statements so far; the same one twice counts twice. */
  get size(): number {
    return this.seen;
  }

  /** `where` it was seen. */
  signature(where: string, place: Place, block: BlockName): void {
    this.seen++;
    note(this.signed, nameOf(place), block, where);
  }

  /** Whether some signature for this place was seen. */
  isSigned(place: Place): boolean {
    return this.signed.has(nameOf(place));
  }

  /** A cosigner's state has this block at this place: it has given a share for it, and may have given it to somebody. */
  storedBy(cosigner: string, place: Place, block: BlockName): void {
    this.seen++;
    note(this.stored, nameOf(place), block, cosigner);
  }

  doubles(): readonly Double[] {
    const places = new Set([...this.signed.keys(), ...this.stored.keys()]);
    const found: Double[] = [];
    for (const place of places) {
      const blocks = new Map(this.signed.get(place));
      for (const [block, by] of this.stored.get(place) ?? []) if (by.size >= this.threshold) blocks.set(block, by);
      const different = distinct([...blocks.keys()]);
      if (different.length > 1)
        found.push({
          place,
          blocks: different.map((block) => `${block || 'nil'} (${[...(blocks.get(block) ?? [])].join(', ')})`),
        });
    }
    return found;
  }
}

/** One of each block: the beginning of a name is the same as the whole of it. */
function distinct(names: readonly BlockName[]): readonly BlockName[] {
  const whole = names.filter((name) => name.length !== PREFIX_LENGTH);
  const beginnings = names.filter(
    (name) => name.length === PREFIX_LENGTH && !whole.some((other) => other.startsWith(name)),
  );
  return [...whole, ...beginnings];
}

function note(to: Map<string, Map<BlockName, Set<string>>>, place: string, block: BlockName, where: string): void {
  const blocks = to.get(place) ?? new Map<BlockName, Set<string>>();
  to.set(place, blocks);
  blocks.set(block, (blocks.get(block) ?? new Set()).add(where));
}

export function nameOf({ chainId, step, height, round }: Place): string {
  return `${chainId} ${step} ${height}/${round}`;
}

/** Of an encoded BlockID or CanonicalBlockID, which are the same on the wire; undefined or one without a hash: nil. */
export function blockName(encoded: Uint8Array | undefined): BlockName {
  if (encoded === undefined) return '';
  const fields = readFields(encoded);
  const parts = readFields(bytesOf(fields, 2) ?? new Uint8Array());
  return blockNameOf({
    hash: bytesOf(fields, 1) ?? new Uint8Array(),
    partsTotal: Number(integerOf(parts, 1)),
    partsHash: bytesOf(parts, 2) ?? new Uint8Array(),
  });
}

export function blockNameOf(
  block: { readonly hash: Uint8Array; readonly partsTotal: number; readonly partsHash: Uint8Array } | undefined,
): BlockName {
  if (block === undefined || block.hash.length === 0) return '';
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();
  return `${hex(block.hash)}:${block.partsTotal}:${hex(block.partsHash)}`;
}

const STEPS: ReadonlyMap<bigint, StepName> = new Map([
  [32n, 'Proposal'],
  [1n, 'Prevote'],
  [2n, 'Precommit'],
]);

/** What length-prefixed canonical sign bytes are for (types/canonical.proto), read apart from production code. */
export function readSignBytes(bytes: Uint8Array): { readonly place: Place; readonly block: BlockName } {
  const length = readVarint(bytes, 0);
  const fields = readFields(bytes.subarray(length?.next ?? 0));
  const step = STEPS.get(integerOf(fields, 1));
  if (step === undefined) throw new Error(`sign bytes of type ${integerOf(fields, 1)}`);
  // The fields of a proposal behind pol_round are numbered one higher than those of a vote.
  const later = step === 'Proposal' ? 1 : 0;
  const chainId = Buffer.from(bytesOf(fields, 6 + later) ?? []).toString();
  const place = { chainId, step, height: integerOf(fields, 2), round: Number(integerOf(fields, 3)) };
  return { place, block: blockName(bytesOf(fields, 4 + later)) };
}

/** A `signed …` line of a sentry-link's log; undefined for every other event. */
export function readSignedEvent(
  event: string,
  chainId: string,
): { readonly place: Place; readonly block: BlockName } | undefined {
  const match = /^signed (Proposal|Prevote|Precommit):([0-9A-F]{10}|<nil>) at h\/r\/s (\d+)\/(\d+)\/\d /.exec(event);
  if (match === null) return undefined;
  const [, step, block = '', height = '', round = ''] = match;
  return {
    place: { chainId, step: step as StepName, height: BigInt(height), round: Number(round) },
    block: block === '<nil>' ? '' : block,
  };
}
