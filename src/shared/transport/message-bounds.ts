import { NONCE_POOL_TARGET } from '../coordination/limits.js';

/** Bounds of the encoding only; what the messages mean is bounded in coordination/limits.ts. */

export const MAX_VERSION_BYTES = 64;
/** In a hello: a name is a few letters, digits and hyphens. */
export const MAX_FEATURES = 64;
export const MAX_FEATURE_BYTES = 32;
/** Name of a link in its cosigners' configuration. */
export const MAX_NAME_BYTES = 64;
/** Characters of a refusal that are kept; what is longer is cut. */
export const MAX_SENTENCE = 512;
export const MAX_BATCH = 4 * NONCE_POOL_TARGET;
