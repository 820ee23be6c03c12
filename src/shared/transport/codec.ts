import protobuf from 'protobufjs';
import { MAX_STREAM_MESSAGE_BYTES } from '../coordination/limits.js';
import type { CosignerMessage, LinkMessage } from '../coordination/messages.js';
import { messageOf } from '../errors.js';
import { COSIGNER_MESSAGE, LINK_MESSAGE } from './contract.js';
import { fromWireCosignerMessage, toWireCosignerMessage, type WireCosignerMessage } from './cosigner-messages.js';
import { fromWireLinkMessage, toWireLinkMessage, type WireLinkMessage } from './link-messages.js';
import { malformed, sentence } from './wire-values.js';

/** Encodes as proto/hekate/v1/cosigner.proto says. The message is trusted: it is our own. */
export function encodeLinkMessage(message: LinkMessage): Uint8Array {
  return LINK_MESSAGE.encode(toWireLinkMessage(message)).finish();
}

/** Told how many parts of a message are not in this version: fields, or its kind. Called once for such a message. */
export type OnPassedOver = (parts: number) => void;

/**
 * Decodes and checks every bound; undefined for a message of a kind that is not in this version. Byte fields are views of
 * `bytes`, which must not change afterwards. Throws TRANSPORT_MALFORMED, which names what is wrong and carries nothing of
 * the content.
 */
export function decodeLinkMessage(bytes: Uint8Array, onPassedOver?: OnPassedOver): LinkMessage | undefined {
  return fromWireLinkMessage(decode<WireLinkMessage>(LINK_MESSAGE, bytes, onPassedOver));
}

/** As `encodeLinkMessage`, for the other direction; a refusal's text is cut to what the receiver accepts. */
export function encodeCosignerMessage(message: CosignerMessage): Uint8Array {
  return COSIGNER_MESSAGE.encode(toWireCosignerMessage(message)).finish();
}

/** As `decodeLinkMessage`, for the other direction. */
export function decodeCosignerMessage(bytes: Uint8Array, onPassedOver?: OnPassedOver): CosignerMessage | undefined {
  return fromWireCosignerMessage(decode<WireCosignerMessage>(COSIGNER_MESSAGE, bytes, onPassedOver));
}

/** At most one of the kinds, still unchecked. */
function decode<T extends object>(type: protobuf.Type, bytes: Uint8Array, onPassedOver?: OnPassedOver): T {
  if (bytes.length > MAX_STREAM_MESSAGE_BYTES) throw malformed(`a message of ${bytes.length} bytes`);
  // A plain view: protobufjs would hand out Buffers for a Buffer, whose slice() does not copy.
  const reader = new CountingReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  let decoded: object;
  try {
    decoded = type.decode(reader);
  } catch (error) {
    throw malformed(`not a message of this contract: ${sentence(messageOf(error), 100)}`);
  }
  const kinds = Object.keys(decoded).length;
  if (kinds > 1) throw malformed(`${kinds} kinds in one message`);
  // Nothing at all is the default of a kind that protobuf leaves out.
  const parts = kinds === 0 ? Math.max(1, reader.skipped) : reader.skipped;
  if (parts > 0) onPassedOver?.(parts);
  return decoded as T;
}

/** Counts the fields that the decoder skips because the contract does not have them; they are not kept. */
class CountingReader extends protobuf.Reader {
  skipped = 0;

  override skipType(wireType: number, depth?: number): protobuf.Reader {
    this.skipped++;
    return super.skipType(wireType, depth);
  }
}
