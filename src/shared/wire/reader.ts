import { HekateError } from '../errors.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const WIRE_TYPES = new Set([VARINT, FIXED64, LENGTH_DELIMITED, FIXED32]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one protobuf message, field by field: `while (reader.next()) switch (reader.field) …`. Every read checks that the
 * field has its wire type, lies within the message and fits its type; anything else is WIRE_MALFORMED. Groups are not read.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #field = 0;
  #wireType = VARINT;
  /** The last varint or fixed64, as two unsigned halves: most need no bigint. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Number of the current field. */
  get field(): number {
    return this.#field;
  }

  /** Moves on to the next field, which must then be read or skipped; false at the end of the message. */
  next(): boolean {
    if (this.#at === this.#end) return false;
    this.#varint();
    if (this.#high !== 0) throw malformed('a field number is out of range');
    this.#field = this.#low >>> 3;
    this.#wireType = this.#low & 7;
    if (this.#field === 0 || !WIRE_TYPES.has(this.#wireType)) throw malformed(`${this.#low} is not the tag of a field`);
    return true;
  }

  int64(): bigint {
    this.#expect(VARINT);
    this.#varint();
    return this.#signed();
  }

  int32(): number {
    this.#expect(VARINT);
    this.#varint();
    const signed = this.#low | 0;
    // A negative int32 is written as the int64 of the same value.
    if (this.#high !== (signed < 0 ? 0xffffffff : 0)) throw malformed(`field ${this.#field} is outside int32`);
    return signed;
  }

  uint32(): number {
    this.#expect(VARINT);
    this.#varint();
    if (this.#high !== 0) throw malformed(`field ${this.#field} is outside uint32`);
    return this.#low;
  }

  bool(): boolean {
    const value = this.uint32();
    if (value > 1) throw malformed(`field ${this.#field} is not a bool`);
    return value === 1;
  }

  sfixed64(): bigint {
    this.#expect(FIXED64);
    const at = this.#take(8);
    this.#low = this.#uint32At(at);
    this.#high = this.#uint32At(at + 4);
    return this.#signed();
  }

  /** A view of the bytes, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch (error) {
      throw malformed(`field ${this.#field} is not UTF-8`, error);
    }
  }

  /** A reader of the embedded message. */
  message(): WireReader {
    const length = this.#length();
    const at = this.#take(length);
    return new WireReader(this.#bytes, at, at + length);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === LENGTH_DELIMITED) this.#take(this.#length());
    else this.#take(this.#wireType === FIXED64 ? 8 : 4);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw malformed(`field ${this.#field} has wire type ${this.#wireType}`);
  }

  #length(): number {
    this.#expect(LENGTH_DELIMITED);
    this.#varint();
    if (this.#high !== 0) throw malformed(`field ${this.#field} reaches beyond the message`);
    return this.#low;
  }

  /** Where the next `length` bytes start, stepping over them. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw malformed(`field ${this.#field} reaches beyond the message`);
    this.#at = at + length;
    return at;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at === this.#end) throw malformed('the message ends within a varint');
      const byte = this.#bytes[this.#at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift <= 28) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && bits > 1) break;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw malformed('a varint has more than 64 bits');
  }

  #signed(): bigint {
    if (this.#high === 0) return BigInt(this.#low);
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  #uint32At(at: number): number {
    const b = this.#bytes;
    return (((b[at + 3] ?? 0) << 24) | ((b[at + 2] ?? 0) << 16) | ((b[at + 1] ?? 0) << 8) | (b[at] ?? 0)) >>> 0;
  }
}

function malformed(what: string, cause?: unknown): HekateError {
  return new HekateError('WIRE_MALFORMED', what, { cause });
}
