import { HekateError } from '../../../shared/errors.js';
import { INT32_MAX } from '../../../shared/privval/canonical.js';
import type { HeightRoundStep } from '../../../shared/watermark/watermark.js';
import type { FilePvState } from '../../file-pv.js';
import { isJsonObject } from '../../json-object.js';

/** CometBFT's SignedMsgType as a number up to 0.0.4, its name after. */
const STEPS: ReadonlyMap<unknown, HeightRoundStep['step']> = new Map<unknown, HeightRoundStep['step']>([
  ...([0, 'Unknown'] as const).map((name) => [name, 0] as const),
  ...([32, 'Proposal'] as const).map((name) => [name, 1] as const),
  ...([1, 'Prevote'] as const).map((name) => [name, 2] as const),
  ...([2, 'Precommit'] as const).map((name) => [name, 3] as const),
]);
const KEYS: ReadonlySet<string> = new Set(['height', 'round', 'step']);

/**
 * The place in a state of nebula (ConsensusData): it says neither of which chain and key it is nor what was signed there, so nothing
 * at that place is signed again. Throws STATE_IMPORT_INVALID.
 */
export function parseNebulaState(json: string): FilePvState {
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch (error) {
    throw invalid('it is not JSON', error);
  }
  if (!isJsonObject(state)) throw invalid('it is not a JSON object');
  if (typeof state['height'] === 'string')
    throw invalid('its height is a string, as in the state of CometBFT or TMKMS, whose steps have other numbers');
  const unknown = Object.keys(state).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw invalid(`it has an unknown key ${JSON.stringify(unknown.slice(0, 40))}`);
  const step = STEPS.get(state['step']);
  if (step === undefined) throw invalid('step is not 0, 32, 1 or 2, nor Unknown, Proposal, Prevote or Precommit');
  const height = BigInt(whole(state, 'height', Number.MAX_SAFE_INTEGER));
  const round = whole(state, 'round', INT32_MAX);
  return { watermark: { height, round, step, signBytes: undefined, fresh: false }, signature: undefined };
}

function whole(state: Readonly<Record<string, unknown>>, name: string, max: number): number {
  const value = state[name];
  if (value === undefined) throw invalid(`${name} is missing`);
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(`${name} is not a whole number`);
  if (value < 0 || value > max) throw invalid(`${name} is not between 0 and ${max}`);
  return value;
}

function invalid(problem: string, cause?: unknown): HekateError {
  return new HekateError('STATE_IMPORT_INVALID', `not a usable state of nebula: ${problem}`, {
    fix: 'give what nebula wrote last on any of its nodes, or --height with a height at or above everything it signed',
    cause,
  });
}
