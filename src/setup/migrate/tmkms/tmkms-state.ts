import { z } from 'zod';
import { HekateError } from '../../../shared/errors.js';
import { INT32_MAX, INT64_MAX, type SignStep } from '../../../shared/privval/canonical.js';
import type { HeightRoundStep } from '../../../shared/watermark/watermark.js';
import type { FilePvState } from '../../file-pv.js';

const decimal = z
  .string({ error: 'is not a string of decimal digits' })
  .regex(/^(?:0|[1-9][0-9]{0,18})$/, { error: 'is not a string of decimal digits' })
  .transform(BigInt);

/** As TMKMS reads it (tmkms src/chain/state.rs and cometbft's Serialize of consensus::State): it wants `block_id`, and ignores what it does not know. */
const schema = z.object(
  {
    height: decimal.refine((height) => height <= INT64_MAX, { error: 'is above 2^63-1' }),
    round: decimal.refine((round) => round <= BigInt(INT32_MAX), { error: `is above ${INT32_MAX}` }).transform(Number),
    step: z.int({ error: 'is not a whole number' }),
    block_id: z.union([z.null(), z.object({})], { error: 'is missing' }),
  },
  { error: 'it is not a JSON object' },
);

/**
 * TMKMS counts the steps of a round from 0, CometBFT from 1; up to 0.6 a vote was 6, whichever it was, and a proposal 3. Its 0 is
 * also what stands there before anything was signed in a round: taken as a signed proposal, nothing is signed twice.
 */
const STEPS: ReadonlyMap<number, SignStep> = new Map([
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 1],
  [6, 3],
]);

/** The place in the state file of TMKMS. It has no sign bytes, so nothing at that place is signed again. Throws STATE_IMPORT_INVALID. */
export function parseTmkmsState(text: string): FilePvState {
  const { height, round, step } = parse(text);
  const place: HeightRoundStep = { height, round, step: height === 0n ? 0 : stepOf(step) };
  return { watermark: { ...place, signBytes: undefined, fresh: false }, signature: undefined };
}

function stepOf(step: number): SignStep {
  const known = STEPS.get(step);
  if (known === undefined) throw invalid(`step ${step} is none of 0, 1, 2 (or 3, 6 in files of before 0.7)`);
  return known;
}

function parse(text: string): z.output<typeof schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(text.trim() === '' ? 'it is empty, as after a power loss' : 'it is not JSON');
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [name] = issue?.path ?? [];
  if (name === undefined) throw invalid(issue?.message ?? 'it is something else');
  const isOfNode =
    name === 'round' || name === 'block_id' ? ' (a node writes its priv_validator_state.json like that)' : '';
  throw invalid(`${String(name)} ${issue?.message ?? ''}${isOfNode}`);
}

function invalid(problem: string): HekateError {
  return new HekateError('STATE_IMPORT_INVALID', `not a usable state file of TMKMS: ${problem}`, {
    fix: 'give the state file that TMKMS used last; where it is lost, move it away and add --height with a height at or above everything this key signed',
  });
}
