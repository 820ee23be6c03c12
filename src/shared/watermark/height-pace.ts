import { invariant } from '../invariant.js';
import { refuse, type Refusal } from './rules.js';
import type { HeightPace, Place, Watermark } from './watermark.js';

/**
 * A limit on how fast a watermark rises, so that a wrong or compromised node or link cannot burn the key's heights in many
 * steps that are each below the height jump. Heights are a bucket: what it may rise is what was left after the last rise
 * and `heightsPerSecond` for each second since, however many: the chain went on during an outage of days. What is left after
 * a rise is capped, so that who asks for heights that the chain does not have gets the cap and the rate, and no more. Level
 * and second are kept with the watermark: a restart does not fill the bucket.
 */
const THOUSANDTHS = 1_000;
const MOST_LEFT = 1_000 * THOUSANDTHS;

export type PaceResult =
  /** To be kept with the watermark that rises. */
  { readonly kind: 'taken'; readonly pace: HeightPace | undefined } | Refusal;

/** A full bucket. */
export function fullPace(atSecond: number): HeightPace {
  return { left: MOST_LEFT, atSecond };
}

/**
 * Asks the bucket for the rise from `stored` to the height of `asked`, which the watermark rules let through already. A
 * first height leaves it full; 0 heights per second switch it off. `nowSecond`: the wall clock, seconds since 1970; one that
 * went back counts as no time. Refuses with HEIGHT_PACE. Pure.
 */
export function takeHeights(heightsPerSecond: number, stored: Watermark, asked: Place, nowSecond: number): PaceResult {
  const heights = Number(asked.height - stored.height);
  invariant(heights >= 0, 'the pace is asked about a rise');
  if (heights === 0) return { kind: 'taken', pace: stored.pace };
  if (stored.fresh || heightsPerSecond === 0) return { kind: 'taken', pace: fullPace(nowSecond) };

  const { left, atSecond } = stored.pace ?? unused(stored, nowSecond);
  const seconds = Math.max(0, nowSecond - atSecond);
  const available = left + Math.floor(seconds * heightsPerSecond * THOUSANDTHS);
  const after = available - heights * THOUSANDTHS;
  if (after >= 0) return { kind: 'taken', pace: { left: Math.min(after, MOST_LEFT), atSecond: nowSecond } };
  const now = Math.floor(available / THOUSANDTHS);
  return refuse(
    'HEIGHT_PACE',
    stored,
    asked,
    `is ${heights} heights up, and ${heightsPerSecond} per second leave ${now} now`,
  );
}

/** Nothing rose on it yet: what is stored came from another signer, which signed last when its sign bytes say. */
function unused({ signBytes }: Watermark, nowSecond: number): HeightPace {
  return fullPace(signBytes === undefined ? nowSecond : Number(signBytes.says.timestamp.seconds));
}
