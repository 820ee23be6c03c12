import type protobuf from 'protobufjs';
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

/**
 * Decodes and checks every bound. Byte fields are views of `bytes`, which must not change afterwards. Throws
 * TRANSPORT_MALFORMED, which names what is wrong and carries nothing of the content.
 */
export function decodeLinkMessage(bytes: Uint8Array): LinkMessage {
  return fromWireLinkMessage(decode<WireLinkMessage>(LINK_MESSAGE, bytes));
}

/** As `encodeLinkMessage`, for the other direction; a refusal's text is cut to what the receiver accepts. */
export function encodeCosignerMessage(message: CosignerMessage): Uint8Array {
  return COSIGNER_MESSAGE.encode(toWireCosignerMessage(message)).finish();
}

/** As `decodeLinkMessage`, for the other direction. */
export function decodeCosignerMessage(bytes: Uint8Array): CosignerMessage {
  return fromWireCosignerMessage(decode<WireCosignerMessage>(COSIGNER_MESSAGE, bytes));
}

/** Exactly one of the kinds, still unchecked. */
function decode<T extends object>(type: protobuf.Type, bytes: Uint8Array): T {
  if (bytes.length > MAX_STREAM_MESSAGE_BYTES) throw malformed(`a message of ${bytes.length} bytes`);
  let decoded: object;
  try {
    // A plain view: protobufjs would hand out Buffers for a Buffer, whose slice() does not copy.
    decoded = type.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    throw malformed(`not a message of this contract: ${sentence(messageOf(error), 100)}`);
  }
  const kinds = Object.keys(decoded).length;
  if (kinds > 1) throw malformed(`${kinds} kinds in one message`);
  return decoded as T;
}
