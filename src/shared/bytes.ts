const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/**
 * Fresh zeroed bytes for a secret or for libsodium to write to. V8 keeps small typed arrays inside its moving heap,
 * where garbage collection leaves copies behind; an ArrayBuffer of its own stays where it is, so wiping it is enough.
 */
export function pinnedBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of a hex string. Throws RangeError on anything else; never use it on a secret, strings cannot be wiped. */
export function fromHex(hex: string): Uint8Array {
  if (!HEX.test(hex)) throw new RangeError('not a hex string');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Of public bytes: what is short lies where garbage collection leaves copies. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality of public bytes (not constant time; never for secrets). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Overwrites secrets after use. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
