import type { ErrorCode } from '../error-codes.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

/**
 * Why the signer refused. A node logs both parts and goes on without that vote; it does not ask again
 * (CometBFT privval/retry_signer_client.go).
 */
export interface RemoteSignerError {
  readonly code: number;
  readonly description: string;
}

/**
 * Numbers in the node's log (`signerEndpoint returned error #2: …`). They never change their meaning; 0 is CometBFT's
 * own signer, and 2 is also what TMKMS says when it refuses a double sign.
 */
export const REMOTE_ERROR = {
  /** A fault of the signer, or one without a number of its own. */
  fault: 1,
  /** The watermark does not allow it: it was signed for another block, or lies behind what was signed. */
  watermark: 2,
  wrongChain: 3,
  /** No node that works sends this. */
  badRequest: 4,
  /** A kind of thing that is not signed here. */
  unsupported: 5,
  /** Not at this moment: no quorum, no leader, too much to do. */
  unavailable: 6,
} as const;

const NUMBER_OF: ReadonlyMap<ErrorCode, number> = new Map<ErrorCode, number>([
  ['DOUBLE_SIGN', REMOTE_ERROR.watermark],
  ['HEIGHT_REGRESSION', REMOTE_ERROR.watermark],
  ['ROUND_REGRESSION', REMOTE_ERROR.watermark],
  ['STEP_REGRESSION', REMOTE_ERROR.watermark],
  ['PROPOSAL_TIMESTAMP', REMOTE_ERROR.watermark],
  ['HEIGHT_JUMP', REMOTE_ERROR.watermark],
  ['HEIGHT_PACE', REMOTE_ERROR.watermark],
  ['WRONG_CHAIN', REMOTE_ERROR.wrongChain],
  ['REQUEST_INVALID', REMOTE_ERROR.badRequest],
  ['SIGN_BYTES_INVALID', REMOTE_ERROR.badRequest],
  ['EXTENSION_NOT_ALLOWED', REMOTE_ERROR.badRequest],
  ['REQUEST_UNSUPPORTED', REMOTE_ERROR.unsupported],
  ['NOT_LEADER', REMOTE_ERROR.unavailable],
  ['QUORUM_LOST', REMOTE_ERROR.unavailable],
  ['BUSY', REMOTE_ERROR.unavailable],
  ['TERM_OLD', REMOTE_ERROR.unavailable],
]);

/** Far below the 10,240 bytes that a node reads, even when every character takes four. */
const MAX_DESCRIPTION_LENGTH = 512;
const CONTROL_CHARACTERS = /\p{Cc}/gu;

/** The error a node is given: its description starts with our code, so that one word finds the cause in both logs. */
export function remoteError(code: ErrorCode, message: string): RemoteSignerError {
  const description = `${code}: ${message}`.replace(CONTROL_CHARACTERS, ' ').slice(0, MAX_DESCRIPTION_LENGTH);
  return { code: NUMBER_OF.get(code) ?? REMOTE_ERROR.fault, description };
}

export function readRemoteError(reader: WireReader): RemoteSignerError {
  let code = 0;
  let description = '';
  while (reader.next()) {
    if (reader.field === 1) code = reader.int32();
    else if (reader.field === 2) description = reader.string();
    else reader.skip();
  }
  return { code, description };
}

/** Field 2 of every response. */
export function writeRemoteError(writer: WireWriter, error: RemoteSignerError): void {
  writer.message(2, (w) => {
    w.int32(1, error.code);
    w.string(2, error.description);
  });
}
