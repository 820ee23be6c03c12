import { toHex } from '../shared/bytes.js';
import type { Disk } from '../shared/ports/disk.js';
import { INT32_MAX, STEP_NAMES, STEP_PRECOMMIT } from '../shared/privval/canonical.js';
import type { StateBinding } from '../shared/watermark/slot-record.js';
import { readState } from '../shared/watermark/state-mark.js';
import type { HeightRoundStep, Watermark } from '../shared/watermark/watermark.js';

/** What `hekate state show` prints of a watermark; plain JSON values. */
export interface WatermarkDescription {
  readonly height: string;
  readonly round: number;
  readonly step: number;
  readonly stepName: string;
  /** Upper-case hex; empty when they are not known. */
  readonly signBytes: string;
  readonly fresh: boolean;
}

/** A state file as found. */
export interface StateReport {
  readonly chainId: string;
  /** Hex. */
  readonly groupPublicKey: string;
  readonly sequence: bigint;
  readonly watermark: WatermarkDescription;
  /** Copies that a crash or damage left behind; the next start writes them anew. */
  readonly staleCopies: number;
}

/** What a state file says, without its lock: for showing, never for signing. Throws as `readState` does. */
export async function inspectState(disk: Disk, path: string, binding: StateBinding): Promise<StateReport> {
  const { sequence, watermark, repairs } = await readState(disk, path, binding);
  return {
    chainId: binding.chainId,
    groupPublicKey: toHex(binding.groupPublicKey),
    sequence,
    watermark: describeWatermark(watermark),
    staleCopies: repairs.length,
  };
}

/** What a watermark refuses, in words. */
export function describeFloor({ height, round, step }: HeightRoundStep): string {
  if (height === 0n) return 'refuses nothing: this key has never signed';
  if (round === INT32_MAX && step === STEP_PRECOMMIT) return `refuses all of height ${height} and everything below`;
  if (step === 0) return `refuses everything below height ${height}, round ${round}`;
  return `refuses everything up to height ${height}, round ${round}, ${STEP_NAMES[step].toLowerCase()}`;
}

export function describeWatermark(watermark: Watermark): WatermarkDescription {
  const { height, round, step, signBytes, fresh } = watermark;
  return {
    height: height.toString(),
    round,
    step,
    stepName: step === 0 ? 'none' : STEP_NAMES[step],
    signBytes: signBytes === undefined ? '' : toHex(signBytes.bytes).toUpperCase(),
    fresh,
  };
}
