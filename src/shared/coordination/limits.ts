/** Bounds of the cluster protocol (invariant 9): what a peer may make a process keep or read. */
export const MAX_COSIGNERS = 32;
export const MAX_LINKS = 32;
export const MAX_CHAINS = 256;
/** A vote extension is at most 1 MiB in CometBFT (MaxVoteExtensionSize). */
export const MAX_EXTENSION_BYTES = 1024 * 1024;
/** Canonical votes and proposals are below 250 bytes with a chain id of 50. */
export const MAX_SIGN_BYTES = 512;
/** One message on the stream: an extension, the signer list and room. */
export const MAX_STREAM_MESSAGE_BYTES = MAX_EXTENSION_BYTES + 64 * 1024;
/**
 * Unspent nonce pairs a cosigner keeps per stream and chain. A vote takes one or two, and new ones come after each; few enough
 * that they are used up before the garbage collector takes them for long-lived.
 */
export const NONCE_POOL_TARGET = 16;
/** Longest lease that a link may ask for, and so how long a cosigner holds down after a start. */
export const MAX_LEASE_MS = 1_000;
/** Heartbeats of a link within one lease: two may be lost before it runs out. */
export const HEARTBEATS_PER_LEASE = 4;
/** The last one that the wire carries; the one after it is 1. */
export const MAX_TERM = Number.MAX_SAFE_INTEGER;
/** How far above the cosigners in the middle a link follows the highest term that any of them claims. */
export const MAX_TERM_LEAD = 1_000;
/** Sign requests of one chain waiting at a cosigner or a coordinator; a node asks one at a time. */
export const MAX_QUEUED_SIGN_REQUESTS = 16;
