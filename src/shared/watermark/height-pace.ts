import { invariant } from '../invariant.js';
import type { Canonical } from '../privval/canonical.js';
import { refuse, type Refusal } from './rules.js';
import type { Watermark } from './watermark.js';

/**
 * An optional limit on how fast a watermark may rise, so that a wrong or compromised node cannot burn the key's heights in
 * many steps that are each below the height jump. A token is a height: over any time T the watermark rises by at most
 * `burst` + `heightsPerSecond` · T.
 */
export interface HeightPaceLimit {
  /** Set it well above what the chain makes. */
  readonly heightsPerSecond: number;
  /** Must cover what the chain makes while this cosigner, or the node, is down. */
  readonly burst: number;
}

/** Tokens at a monotonic instant. */
export interface HeightPace {
  readonly tokens: number;
  readonly atMs: number;
}

export function heightPaceLimit(heightsPerSecond: number, burst: number): HeightPaceLimit {
  invariant(heightsPerSecond > 0 && burst >= 1, 'a height pace is positive and lets one height through');
  return { heightsPerSecond, burst };
}

/** A full bucket, at process start. */
export function startHeightPace(limit: HeightPaceLimit, nowMs: number): HeightPace {
  return { tokens: limit.burst, atMs: nowMs };
}

export interface PaceResult {
  /** Keep it, whatever the answer. */
  readonly pace: HeightPace;
  /** HEIGHT_PACE when the rise is too fast; undefined lets it through and has spent its tokens. */
  readonly refusal: Refusal | undefined;
}

/**
 * Asks the bucket for the rise from `stored` to the height of `asked`, which the watermark rules let through already. The
 * first signature on a fresh watermark is free, as it is for the height jump. Pure.
 */
export function takeHeights(
  limit: HeightPaceLimit,
  pace: HeightPace,
  stored: Watermark,
  asked: Canonical,
  nowMs: number,
): PaceResult {
  const elapsedMs = Math.max(0, nowMs - pace.atMs);
  const tokens = Math.min(limit.burst, pace.tokens + (elapsedMs * limit.heightsPerSecond) / 1000);
  const heights = stored.fresh ? 0 : Number(asked.height - stored.height);
  invariant(heights >= 0, 'the pace is asked about a rise');
  if (heights <= tokens) return { pace: { tokens: tokens - heights, atMs: nowMs }, refusal: undefined };

  const why = `is ${heights} heights up, and ${limit.heightsPerSecond} per second leave ${Math.floor(tokens)} now`;
  return { pace: { tokens, atMs: nowMs }, refusal: refuse('HEIGHT_PACE', stored, asked, why) };
}
