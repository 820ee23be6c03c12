/** One field of a protobuf message: a number for varint and fixed64, bytes for the rest. */
export interface ProtoField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Fields in order. Throws RangeError on truncated input; for messages of tests only, production reads with bounds. */
export function readFields(message: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = [];
  const view = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = (): bigint => {
    const { value, next } = readVarint(view, at) ?? fail();
    at = next;
    return value;
  };
  const take = (length: number): Buffer => {
    if (at + length > view.length) fail();
    at += length;
    return view.subarray(at - length, at);
  };
  while (at < view.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (wireType === 0) fields.push({ number, value: BigInt.asIntN(64, varint()) });
    else if (wireType === 1) fields.push({ number, value: take(8).readBigInt64LE() });
    else if (wireType === 2) fields.push({ number, value: take(Number(varint())) });
    else fail();
  }
  return fields;
}

/** The varint at `at` and where it ends, or undefined while it is not whole. */
export function readVarint(bytes: Uint8Array, at: number): { value: bigint; next: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return fail();
}

/** Cuts whole length-prefixed messages off a stream of bytes. */
export class DelimitedReader {
  private rest = Buffer.alloc(0);

  push(bytes: Uint8Array): Uint8Array[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const messages: Uint8Array[] = [];
    for (;;) {
      const length = readVarint(this.rest, 0);
      if (length === undefined) return messages;
      const end = length.next + Number(length.value);
      if (this.rest.length < end) return messages;
      messages.push(this.rest.subarray(length.next, end));
      this.rest = this.rest.subarray(end);
    }
  }
}

export function integerOf(fields: readonly ProtoField[], number: number): bigint {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === 'bigint' ? value : 0n;
}

/** Bytes of a field, or undefined when it is absent. */
export function bytesOf(fields: readonly ProtoField[], number: number): Uint8Array | undefined {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === 'bigint' ? undefined : value;
}

const EMPTY = new Uint8Array();

export function varint(value: bigint): Uint8Array {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...out, Number(rest)]);
    out.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A varint field; zero is left out, as proto3 does. */
export function uintField(number: number, value: bigint): Uint8Array {
  return value === 0n ? EMPTY : Buffer.concat([varint(BigInt(number << 3)), varint(value)]);
}

/** A string, bytes or message field; written even when empty. */
export function bytesField(number: number, ...value: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(value);
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(whole.length)), whole]);
}

export function sfixed64Field(number: number, value: bigint): Uint8Array {
  if (value === 0n) return EMPTY;
  const out = Buffer.alloc(9);
  out[0] = (number << 3) | 1;
  out.writeBigInt64LE(value, 1);
  return out;
}

export function delimited(...message: readonly Uint8Array[]): Uint8Array {
  const whole = Buffer.concat(message);
  return Buffer.concat([varint(BigInt(whole.length)), whole]);
}

function fail(): never {
  throw new RangeError('truncated or malformed protobuf');
}
