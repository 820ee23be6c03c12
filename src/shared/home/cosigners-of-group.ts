import type { CosignerConfig } from '../config/cosigner-config.js';
import type { SentryLinkConfig } from '../config/sentry-link-config.js';
import { HekateError } from '../errors.js';
import type { GroupInfo } from './group-file.js';
import { cosignerName } from './paths.js';

/** Throws GROUP_MISMATCH unless a link's configuration lists every cosigner of a dealing, and no other. */
export function checkAllCosigners({ cosigners, file }: SentryLinkConfig, { chainId, count }: GroupInfo): void {
  const ids = cosigners.map(({ id }) => id);
  // Ascending and each once, so that n of them up to n are all.
  if (ids.length === count && ids.at(-1) === count) return;
  throw mismatch(
    `chain ${chainId} was dealt to cosigners 1 to ${count}, ${file} has ${ids.join(', ')}`,
    'list every cosigner of the dealing, and no other',
  );
}

/** Throws GROUP_MISMATCH when a cosigner's configuration names one that a dealing does not have; it may leave some out. */
export function checkOtherCosigners({ cosigners, file }: CosignerConfig, { chainId, count }: GroupInfo): void {
  const stranger = cosigners.find(({ id }) => id > count);
  if (stranger === undefined) return;
  throw mismatch(
    `chain ${chainId} was dealt to ${count} cosigners, ${file} names ${cosignerName(stranger.id)}`,
    'list cosigners of the dealing only',
  );
}

function mismatch(problem: string, fix: string): HekateError {
  return new HekateError('GROUP_MISMATCH', problem, { fix });
}
