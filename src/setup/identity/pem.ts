import { pinnedBytes } from '../../shared/bytes.js';
import { bytesToBase64 } from '../../shared/keys/secret-bytes.js';

const LINE_END = 0x0a;
/** RFC 7468 §2: lines of 64 characters. */
const LINE_BYTES = 48;

/** RFC 7468 text encoding, made without a string in between, because strings cannot be wiped. The caller wipes it. */
export function pemBytes(label: string, der: Uint8Array): Buffer {
  const [begin, end] = [Buffer.from(`-----BEGIN ${label}-----\n`), Buffer.from(`-----END ${label}-----\n`)];
  const lines = Math.ceil(der.length / LINE_BYTES);
  const pem = pinnedBytes(begin.length + Math.ceil(der.length / 3) * 4 + lines + end.length);
  pem.set(begin);
  let at = begin.length;
  for (let from = 0; from < der.length; from += LINE_BYTES) {
    const line = bytesToBase64(der.subarray(from, Math.min(from + LINE_BYTES, der.length)));
    pem.set(line, at);
    at += line.length;
    line.fill(0);
    pem[at++] = LINE_END;
  }
  pem.set(end, at);
  return Buffer.from(pem.buffer);
}
