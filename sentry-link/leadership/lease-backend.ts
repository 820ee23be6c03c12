/**
 * What decides which sentry-link may ask the cosigners for the lease, and in which term. Whatever it says, a leader is who has
 * the promises of t cosigners; a backend that is wrong or gone costs votes, never a second signature.
 */
export interface LeaseBackend {
  /** Whether this link may ask now: the term to ask in, `least` or above; undefined: it is another's turn. */
  claim(least: number): number | undefined;
  /** The lease was given back, or did not come about: another may have its turn. */
  giveBack(): void;
}

/** Nothing but the cosigners' own promises: whoever finds the lease free asks for it. */
export const EMBEDDED: LeaseBackend = { claim: (least) => least, giveBack: () => undefined };
