const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;
const LINE_END = 0x0a;
/** RFC 7468 §2: lines of 64 characters. */
const LINE_BYTES = 48;

/** RFC 7468 text encoding, made without a string in between, because strings cannot be wiped. */
export function pemBytes(label: string, der: Uint8Array): Buffer {
  const out: number[] = [];
  for (let line = 0; line < der.length; line += LINE_BYTES) {
    const end = Math.min(line + LINE_BYTES, der.length);
    for (let at = line; at < end; at += 3) out.push(...quantum(der.subarray(at, Math.min(at + 3, end))));
    out.push(LINE_END);
  }
  const pem = Buffer.concat([
    Buffer.from(`-----BEGIN ${label}-----\n`),
    Buffer.from(out),
    Buffer.from(`-----END ${label}-----\n`),
  ]);
  out.fill(0);
  return pem;
}

/** One to three bytes as four characters (RFC 4648 §4). */
function quantum(bytes: Uint8Array): number[] {
  const [a = 0, b = 0, c = 0] = bytes;
  const bits = (a << 16) | (b << 8) | c;
  const character = (shift: number): number => ALPHABET[(bits >> shift) & 63] ?? PADDING;
  return [
    character(18),
    character(12),
    bytes.length > 1 ? character(6) : PADDING,
    bytes.length > 2 ? character(0) : PADDING,
  ];
}
