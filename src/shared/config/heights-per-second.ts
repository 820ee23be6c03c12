/** How many heights a second a cosigner signs unless it is told otherwise: a chain of 0.4 s a block makes 2.5. */
export const DEFAULT_MAX_HEIGHTS_PER_SECOND = 3;
export const MAX_HEIGHTS_PER_SECOND = 1_000_000;
