import { randomFillSync } from 'node:crypto';

/** `length` bytes from a source fit for keys and nonces; the simulator passes a seeded one. */
export type RandomBytes = (length: number) => Uint8Array;

// An ArrayBuffer of its own: no second copy of what may become a secret stays behind in a pool.
export const systemRandom: RandomBytes = (length) => randomFillSync(new Uint8Array(new ArrayBuffer(length)));
