import { randomBytes, randomFillSync } from 'node:crypto';
import { pinnedBytes } from '../bytes.js';

/** `length` bytes from a source fit for keys and nonces; the simulator passes a seeded one. */
export type RandomBytes = (length: number) => Uint8Array;

// Any of them may become a secret.
export const systemRandom: RandomBytes = (length) => randomFillSync(pinnedBytes(length));

/** For what is told to others: copies of it may stay anywhere. */
export const publicRandom: RandomBytes = (length) => new Uint8Array(randomBytes(length));
