/** A broken invariant: a fault in hekate itself, never in its input. Nothing catches it to go on. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Asserts what must hold by construction. Stays on in production; throws InvariantViolation. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantViolation(`invariant broken: ${what}`);
}

/** The value of something that must be there by construction. */
export function must<T>(value: T | undefined | null, what: string): T {
  invariant(value !== undefined && value !== null, what);
  return value;
}
