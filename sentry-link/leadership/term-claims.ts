import { MAX_TERM_LEAD } from '../../src/shared/coordination/limits.js';
import { must } from '../../src/shared/invariant.js';

/** A term that a cosigner reports, far above those of the others. */
export interface TermClaim {
  readonly cosigner: number;
  readonly term: number;
  readonly above: number;
}

/**
 * The term in the middle of what the cosigners report. As many of them as may lie or be down, with more than half needed for a
 * signature, cannot move it out of what the others report.
 */
export function middleTerm(terms: readonly number[]): number {
  const sorted = [...terms].sort((a, b) => a - b);
  return must(sorted[Math.floor(sorted.length / 2)], 'a cluster has cosigners');
}

/** Who claims a term that a link does not follow. */
export function farTerms(terms: ReadonlyMap<number, number>): readonly TermClaim[] {
  const middle = middleTerm([...terms.values()]);
  return [...terms].flatMap(([cosigner, term]) => {
    const above = term - middle;
    return above > MAX_TERM_LEAD ? { cosigner, term, above } : [];
  });
}

/** `claims term 5000, 4999 above the others`. */
export function describeClaim({ term, above }: TermClaim): string {
  return `claims term ${term}, ${above} above the others`;
}
