const BECH32_PREFIX = /^[a-z][a-z0-9]{0,30}$/;

/** The prefix of a chain where nothing else is said. */
export const USUAL_PREFIX = 'cosmos';

/** Why this cannot be a chain's bech32 prefix, "kira" as in "kira1…", or undefined when it can. */
export function bech32PrefixProblem(prefix: string): string | undefined {
  if (BECH32_PREFIX.test(prefix)) return undefined;
  return `${JSON.stringify(prefix)} is no bech32 prefix: up to 31 lower-case letters and digits, as in "cosmos"`;
}
