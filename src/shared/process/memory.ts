import { setFlagsFromString } from 'node:v8';

/** With more chains, so many votes are under way at once that a small nursery would be full of live objects. */
const FEW_CHAINS = 8;

/**
 * Keeps V8's nursery at its first size, 1 MiB, instead of letting it grow to 16: what a vote leaves behind is dead at once, so
 * a bigger nursery only makes the process 30 MB larger. To be called before the modules are loaded: they make it grow.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets the nursery grow again where many chains need it: with 64, an eighth of a link's CPU went into copying live objects. */
export function fitHeapTo(chains: number): void {
  if (chains > FEW_CHAINS) setFlagsFromString('--semi-space-growth-factor=2');
}
