import { MAX_CHAIN_ID_BYTES } from '../privval/canonical.js';

/** Chain ids name folders, so their characters are few, each of one byte. */
const CHAIN_ID = /^[A-Za-z0-9._-]+$/;

/** Why this cannot be the id of a chain here, or undefined when it can. */
export function chainIdProblem(id: string): string | undefined {
  if (id.length === 0) return 'a chain id cannot be empty';
  if (id.length > MAX_CHAIN_ID_BYTES)
    return `a chain id has at most ${MAX_CHAIN_ID_BYTES} characters, not ${id.length}`;
  if (id === '.' || id === '..') return `${JSON.stringify(id)} cannot be a chain id`;
  if (!CHAIN_ID.test(id))
    return `chain id ${JSON.stringify(id)} has characters other than letters, digits, "-", "_" and "."`;
  return undefined;
}
