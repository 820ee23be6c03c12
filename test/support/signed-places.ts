import { readFileSync } from 'node:fs';
import { compareHrs, type Place } from '../../src/shared/watermark/watermark.js';

/** A signature that a log tells of, with the steps of CometBFT. */
export interface SignedPlace extends Place {
  /** The first digits of the block's hash, or nil. */
  readonly block: string;
}

/** The line that TMKMS and hekate write for each signature; its steps are 0, 1 and 2. */
const SIGNED = /signed \w+:(\S+) at h\/r\/s (\d+)\/(\d+)\/([012])/g;
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** What was signed according to some logs of one process, in order. */
export function signedPlaces(...logFiles: readonly string[]): readonly SignedPlace[] {
  return logFiles
    .flatMap((file) => [...readFileSync(file, 'utf8').replaceAll(COLOURS, '').matchAll(SIGNED)])
    .map(([, block = '', height = '', round = '', step = '']) => ({
      ...{ block, height: BigInt(height), round: Number(round), step: Number(step) + 1 },
    }))
    .sort(compareHrs);
}
