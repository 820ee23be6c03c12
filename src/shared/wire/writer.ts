import { invariant } from '../invariant.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIRST_CAPACITY = 256;

const utf8 = new TextEncoder();

/**
 * Writes one protobuf message, fields in the order of the calls. As in proto3, a scalar that is zero and a bytes or
 * string field that is empty are not written at all; an embedded message always is.
 */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  /** The message, as bytes of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  int64(field: number, value: bigint): void {
    if (value === 0n) return;
    invariant(BigInt.asIntN(64, value) === value, 'an int64 is written within its range');
    this.#tag(field, VARINT);
    this.#varint(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
  }

  int32(field: number, value: number): void {
    if (value === 0) return;
    invariant((value | 0) === value, 'an int32 is written within its range');
    this.#tag(field, VARINT);
    this.#varint(value >>> 0, value < 0 ? 0xffffffff : 0);
  }

  uint32(field: number, value: number): void {
    if (value === 0) return;
    invariant(value >>> 0 === value, 'a uint32 is written within its range');
    this.#tag(field, VARINT);
    this.#varint(value, 0);
  }

  bool(field: number, value: boolean): void {
    this.uint32(field, value ? 1 : 0);
  }

  sfixed64(field: number, value: bigint): void {
    if (value === 0n) return;
    invariant(BigInt.asIntN(64, value) === value, 'an sfixed64 is written within its range');
    this.#tag(field, FIXED64);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length, 0);
    this.raw(value);
  }

  string(field: number, value: string): void {
    this.bytes(field, utf8.encode(value));
  }

  /** An embedded message: whatever `write` writes. */
  message(field: number, write: (writer: WireWriter) => void): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.lengthPrefixed(write);
  }

  /** Bytes as they are, without tag and length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** What `write` writes, after its length as a varint. */
  lengthPrefixed(write: (writer: WireWriter) => void): void {
    const start = this.#length;
    write(this);
    const bodyLength = this.#length - start;
    this.#varint(bodyLength, 0);
    const prefix = this.#bytes.slice(start + bodyLength, this.#length);
    this.#bytes.copyWithin(start + prefix.length, start, start + bodyLength);
    this.#bytes.set(prefix, start);
  }

  #tag(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType, 0);
  }

  /** A varint of 64 bits given as two unsigned halves. */
  #varint(low: number, high: number): void {
    this.#reserve(10);
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
