/** Of which units more is better: rates of things done, and the share of what another signer does. */
const BETTER = {
  ms: 'less',
  'ms/s': 'less',
  'ms/vote': 'less',
  MB: 'less',
  votes: 'less',
  'votes/s': 'more',
  'blocks/s': 'more',
  'of FilePV': 'more',
} as const;

/** A row's unit; it says which way the row counts, also for a build that knows nothing of that. */
export type Unit = keyof typeof BETTER;

export function isUnit(unit: string): unit is Unit {
  return Object.hasOwn(BETTER, unit);
}

/**
 * By how much the second figure is worse than the first: 1.03 is 3 % more of what should be little, or 3 % less of what
 * should be much. Undefined unless both are above zero: there is no ratio to nothing.
 */
export function slowerBy(unit: Unit, before: number | null, after: number | null): number | undefined {
  if (before === null || after === null || !(before > 0) || !(after > 0)) return undefined;
  return BETTER[unit] === 'more' ? before / after : after / before;
}
