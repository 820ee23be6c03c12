import { toHex } from '../shared/bytes.js';
import type { Disk } from '../shared/ports/disk.js';
import type { StateBinding } from '../shared/watermark/slot-record.js';
import { readState } from '../shared/watermark/state-mark.js';
import { describePlace, isWholeHeight, type HeightRoundStep, type Watermark } from '../shared/watermark/watermark.js';

/** What `hekate state show` prints of a watermark; plain JSON values. */
export interface WatermarkDescription {
  readonly height: string;
  readonly round: number;
  readonly step: number;
  /** In words. */
  readonly place: string;
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
  /** It is an older copy than its mark: the next start counts from the mark, and waits. */
  readonly rolledBack: string | null;
}

/** What a state file says, without its lock: for showing, never for signing. Throws as `readState` does. */
export async function inspectState(disk: Disk, path: string, binding: StateBinding): Promise<StateReport> {
  const { sequence, watermark, repairs, rolledBack } = await readState(disk, path, binding);
  return {
    chainId: binding.chainId,
    groupPublicKey: toHex(binding.groupPublicKey),
    sequence,
    watermark: describeWatermark(watermark),
    staleCopies: repairs.length,
    rolledBack: rolledBack ?? null,
  };
}

/** What a watermark refuses, in words. */
export function describeFloor(place: HeightRoundStep): string {
  if (place.height === 0n) return 'refuses nothing: this key has never signed';
  if (isWholeHeight(place)) return `refuses ${describePlace(place)} and everything below`;
  return `refuses everything ${place.step === 0 ? 'below' : 'up to'} ${describePlace(place)}`;
}

export function describeWatermark(watermark: Watermark): WatermarkDescription {
  const { height, round, step, signBytes, fresh } = watermark;
  return {
    height: height.toString(),
    round,
    step,
    place: describePlace(watermark),
    signBytes: signBytes === undefined ? '' : toHex(signBytes.bytes).toUpperCase(),
    fresh,
  };
}
