import { HekateError } from '../errors.js';
import { INT32_MAX, INT64_MAX, STEP_NAMES, STEP_PRECOMMIT, type SignStep } from '../privval/canonical.js';
import type { SignBytes } from '../privval/sign-bytes.js';

/** A place in consensus: what one signature is for. */
export interface HeightRoundStep {
  readonly height: bigint;
  readonly round: number;
  /** 0 stands for "nothing in this round yet", as in CometBFT's privval/file.go. */
  readonly step: 0 | SignStep;
}

/** The highest place a cosigner gave a share for, and the sign bytes of that share. */
export interface Watermark extends HeightRoundStep {
  /** Undefined when they are not known, as after an import without them. */
  readonly signBytes: SignBytes | undefined;
  /** Of a key that certainly never signed on this chain: then the first height may be any. */
  readonly fresh: boolean;
  /** Absent: all of it, as before the first rise. */
  readonly pace?: HeightPace | undefined;
}

/** How many heights it may rise at once (height-pace.ts), as it was after the last rise. */
export interface HeightPace {
  /** Thousandths of a height. */
  readonly left: number;
  /** Seconds since 1970 on the wall clock of the cosigner. */
  readonly atSecond: number;
}

/** The watermark of a key that certainly never signed on this chain. */
export function neverSigned(): Watermark {
  return { height: 0n, round: 0, step: 0, signBytes: undefined, fresh: true };
}

/** Refuses everything at `height` and below. Throws STATE_IMPORT_INVALID unless 0 ≤ height < 2^63. */
export function floorAtHeight(height: bigint): Watermark {
  if (height < 0n || height > INT64_MAX) {
    throw new HekateError('STATE_IMPORT_INVALID', `height ${height} is not between 0 and 2^63-1`);
  }
  return { height, round: INT32_MAX, step: 3, signBytes: undefined, fresh: false };
}

/** Negative, zero or positive as `a` comes before, at or after `b`. */
export function compareHrs(a: Place, b: Place): number {
  if (a.height !== b.height) return a.height < b.height ? -1 : 1;
  return a.round === b.round ? a.step - b.step : a.round - b.round;
}

/** As a peer reports it. */
export type Place = Pick<HeightRoundStep, 'height' | 'round'> & { readonly step: number };

/** A place as operators see it everywhere: `height 9, round 0, precommit`. Numbers of steps differ from signer to signer. */
export function describePlace(place: Place): string {
  const { height, round, step } = place;
  if (height === 0n) return 'no height yet';
  if (isWholeHeight(place)) return `all of height ${height}`;
  if (step === 0) return `the start of height ${height}, round ${round}`;
  const names: Readonly<Record<number, string>> = STEP_NAMES;
  return `height ${height}, round ${round}, ${names[step]?.toLowerCase() ?? `step ${step}`}`;
}

/** Nothing of this height comes after it, as at an operator's floor. */
export function isWholeHeight({ round, step }: Place): boolean {
  return round === INT32_MAX && step === STEP_PRECOMMIT;
}
