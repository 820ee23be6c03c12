import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import type { BlockId, Timestamp } from './canonical.js';

/** Parts that the messages of a node and the canonical messages share: CometBFT's types/types.proto and canonical.proto. */

/** What a message without a timestamp means: 0001-01-01T00:00:00Z, the zero value of Go's time.Time. */
export const ZERO_TIME: Timestamp = { seconds: -62_135_596_800n, nanos: 0 };

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);
/** How a vote for nil names its block. */
export const NO_BLOCK: BlockId = { hash: EMPTY_BYTES, partsTotal: 0, partsHash: EMPTY_BYTES };

export function readTimestamp(reader: WireReader): Timestamp {
  let seconds = 0n;
  let nanos = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int64();
    else if (reader.field === 2) nanos = reader.int32();
    else reader.skip();
  }
  return { seconds, nanos };
}

export function writeTimestamp(writer: WireWriter, field: number, timestamp: Timestamp): void {
  writer.message(field, (w) => {
    w.int64(1, timestamp.seconds);
    w.int32(2, timestamp.nanos);
  });
}

export function readBlockId(reader: WireReader): BlockId {
  let hash = EMPTY_BYTES;
  let parts = { partsTotal: 0, partsHash: EMPTY_BYTES };
  while (reader.next()) {
    if (reader.field === 1) hash = reader.bytes();
    else if (reader.field === 2) parts = readParts(reader.message());
    else reader.skip();
  }
  return { hash, ...parts };
}

export function writeBlockId(writer: WireWriter, field: number, blockId: BlockId): void {
  writer.message(field, (w) => {
    w.bytes(1, blockId.hash);
    w.message(2, (parts) => {
      parts.uint32(1, blockId.partsTotal);
      parts.bytes(2, blockId.partsHash);
    });
  });
}

function readParts(reader: WireReader): { partsTotal: number; partsHash: Uint8Array } {
  let partsTotal = 0;
  let partsHash = EMPTY_BYTES;
  while (reader.next()) {
    if (reader.field === 1) partsTotal = reader.uint32();
    else if (reader.field === 2) partsHash = reader.bytes();
    else reader.skip();
  }
  return { partsTotal, partsHash };
}
