import { z } from 'zod';
import { equalBytes, toBase64 } from '../shared/bytes.js';
import { HekateError } from '../shared/errors.js';
import { INT32_MAX, INT64_MAX } from '../shared/privval/canonical.js';
import type { StateBinding } from '../shared/watermark/slot-record.js';
import type { HeightRoundStep, Watermark } from '../shared/watermark/watermark.js';

const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const schema = z.object({
  version: z.literal(1),
  chainId: z.string(),
  groupPublicKey: bytes,
  height: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,18})$/)
    .transform(BigInt)
    .refine((height) => height <= INT64_MAX),
  round: z.int().min(0).max(INT32_MAX),
  step: z.literal([0, 1, 2, 3]),
  signBytes: bytes,
});

/** A watermark for another host, another machine or a backup that is only ever looked at; `importedPlace` reads it. */
export function exportState({ chainId, groupPublicKey }: StateBinding, watermark: Watermark): object {
  const { height, round, step, signBytes } = watermark;
  return {
    version: 1,
    chainId,
    groupPublicKey: toBase64(groupPublicKey),
    height: height.toString(),
    round,
    step,
    signBytes: signBytes === undefined ? '' : toBase64(signBytes.bytes),
  };
}

/**
 * The place in an exported watermark. Its sign bytes come without a signature, so nobody could tell whether they were changed:
 * nothing at that place is signed again. What a newer hekate writes besides is not looked at. Throws STATE_IMPORT_INVALID.
 */
export function importedPlace(text: Uint8Array, { chainId, groupPublicKey }: StateBinding): HeightRoundStep {
  const state = parse(text);
  if (state.chainId !== chainId)
    throw invalid(`it is for chain ${JSON.stringify(state.chainId)}, not ${JSON.stringify(chainId)}`);
  if (!equalBytes(state.groupPublicKey, groupPublicKey)) throw invalid('it is of another key');
  const { height, round, step } = state;
  return { height, round, step };
}

function parse(text: Uint8Array): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(text).toString('utf8')));
  } catch {
    throw invalid('it is not what `hekate state export` writes');
  }
}

function invalid(problem: string): HekateError {
  return new HekateError('STATE_IMPORT_INVALID', `no usable watermark: ${problem}`, {
    fix: 'give what `hekate state export` wrote for this chain and key; a priv_validator_state.json goes to `hekate state init --state`',
  });
}
