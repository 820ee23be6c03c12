import { createRequire } from 'node:module';
import { pinnedBytes } from '../bytes.js';

/** What is used of sodium-native. */
interface SecureMemory {
  sodium_malloc(length: number): Uint8Array;
  sodium_mlock(bytes: Uint8Array): void;
}

/** A slab fills one page with what libsodium puts before it to see overruns. */
const SLAB_BYTES = 4096 - 64;

let loaded: SecureMemory | 'none' | undefined;
let slab = new ArrayBuffer(0);
let slabUsed = 0;

/**
 * Zeroed bytes for a secret that stays for a while (a share, nonces that wait): pinned, and where libsodium can (sodium_malloc)
 * on pages that the kernel keeps out of swap and core dumps, between two that nobody may touch. Several share such a page,
 * so this costs less than bytes of their own; the page is wiped and given back when all of them are garbage.
 */
export function lockedBytes(length: number): Uint8Array {
  if (slabUsed + length > slab.byteLength) {
    const secure = addon();
    if (secure === undefined || length > SLAB_BYTES) return pinnedBytes(length);
    slab = secure.sodium_malloc(SLAB_BYTES).fill(0).buffer as ArrayBuffer;
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab, slabUsed, length);
  slabUsed += length;
  return bytes;
}

/** Whether `lockedBytes` are really kept out of swap: not without libsodium's addon, nor beyond RLIMIT_MEMLOCK. */
export function canLockMemory(): boolean {
  const secure = addon();
  if (secure === undefined) return false;
  try {
    // sodium_malloc does it too, and does not say when it fails.
    secure.sodium_mlock(secure.sodium_malloc(SLAB_BYTES));
    return true;
  } catch {
    return false;
  }
}

function addon(): SecureMemory | undefined {
  loaded ??= load();
  return loaded === 'none' ? undefined : loaded;
}

function load(): SecureMemory | 'none' {
  try {
    return createRequire(import.meta.url)('sodium-native') as SecureMemory;
  } catch {
    return 'none';
  }
}
