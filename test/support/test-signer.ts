import { isNoBlock } from '../../src/shared/privval/canonical.js';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { concat, fromHex } from '../../src/shared/bytes.js';
import type { HekateError } from '../../src/shared/errors.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { EMPTY_BYTES } from '../../src/shared/privval/fields.js';
import { decodeRequest, type PrivvalRequest, type SignVoteRequest } from '../../src/shared/privval/request.js';
import { encodeResponse, type PrivvalResponse } from '../../src/shared/privval/response.js';
import { extensionSignBytes, SignBytes } from '../../src/shared/privval/sign-bytes.js';

const KEY = createPrivateKey({
  key: Buffer.from(concat(fromHex('302e020100300506032b657004220420'), new Uint8Array(32).fill(7))),
  format: 'der',
  type: 'pkcs8',
});
export const TEST_PUBLIC_KEY = new Uint8Array(
  createPublicKey(KEY).export({ format: 'der', type: 'spki' }).subarray(-32),
);

/** Undefined: no answer. */
export type Respond = (request: PrivvalRequest) => PrivvalResponse | Uint8Array | undefined;

/** A signer for the tests of the model node: a key in memory and no watermark at all. */
export class TestSigner {
  readonly asked: PrivvalRequest[] = [];
  ended: { readonly reason: HekateError | undefined } | undefined;
  readonly #reader = new MessageReader();

  constructor(
    readonly channel: ByteChannel,
    private readonly respond: Respond = signHonestly,
  ) {}

  start(): this {
    this.channel.start({
      bytes: (bytes) => {
        this.#reader.push(bytes);
        for (let m = this.#reader.next(); m !== undefined; m = this.#reader.next()) this.#answer(decodeRequest(m));
      },
      closed: (reason) => (this.ended = { reason }),
    });
    return this;
  }

  #answer(request: PrivvalRequest): void {
    this.asked.push(request);
    const response = this.respond(request);
    if (response instanceof Uint8Array) this.channel.write(response);
    else if (response !== undefined) this.channel.write(frameMessage(encodeResponse(response)));
  }
}

export function signHonestly(request: PrivvalRequest): PrivvalResponse {
  switch (request.kind) {
    case 'ping':
      return { kind: 'ping' };
    case 'pubKey':
      return { kind: 'pubKey', publicKey: TEST_PUBLIC_KEY };
    case 'signProposal': {
      const { chainId, proposal } = request;
      const bytes = SignBytes.encode({ ...proposal, step: 1, chainId, polRound: BigInt(proposal.polRound) }).bytes;
      return { kind: 'signedProposal', signature: signature(bytes) };
    }
    case 'signVote':
      return signVote(request);
    default:
      return { kind: 'empty' };
  }
}

function signVote({ chainId, vote, skipExtensionSigning }: SignVoteRequest): PrivvalResponse {
  const { height, round, timestamp, extension } = vote;
  const blockId = isNoBlock(vote.blockId) ? undefined : vote.blockId;
  const step = vote.type === 1 ? 2 : 3;
  const extended = step === 3 && blockId !== undefined && !skipExtensionSigning;
  return {
    kind: 'signedVote',
    timestamp,
    signature: signature(SignBytes.encode({ step, chainId, height, round, blockId, timestamp }).bytes),
    extensionSignature: extended ? signature(extensionSignBytes({ chainId, height, round, extension })) : EMPTY_BYTES,
  };
}

function signature(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, bytes, KEY));
}
