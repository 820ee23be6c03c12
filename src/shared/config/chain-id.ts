/** CometBFT allows 50 characters (types.MaxChainIDLen). Ours also name folders, so their characters are few. */
export const MAX_CHAIN_ID_LENGTH = 50;
const CHAIN_ID = /^[A-Za-z0-9._-]{1,50}$/;

/** Why this cannot be the id of a chain here, or undefined when it can. */
export function chainIdProblem(id: string): string | undefined {
  if (id.length === 0) return 'a chain id cannot be empty';
  if (id.length > MAX_CHAIN_ID_LENGTH)
    return `a chain id has at most ${MAX_CHAIN_ID_LENGTH} characters, not ${id.length}`;
  if (id === '.' || id === '..') return `${JSON.stringify(id)} cannot be a chain id`;
  if (!CHAIN_ID.test(id))
    return `chain id ${JSON.stringify(id)} has characters other than letters, digits, "-", "_" and "."`;
  return undefined;
}
