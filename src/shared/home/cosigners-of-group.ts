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

/** Throws GROUP_MISMATCH unless a cosigner's configuration lists every other cosigner of a dealing, and no other. */
export function checkOtherCosigners(
  { id: own, cosigners, file }: Pick<CosignerConfig, 'id' | 'cosigners' | 'file'>,
  { chainId, count }: Pick<GroupInfo, 'chainId' | 'count'>,
): void {
  const dealt = `chain ${chainId} was dealt to ${count} cosigners`;
  const stranger = cosigners.find(({ id }) => id > count);
  if (stranger !== undefined)
    throw mismatch(`${dealt}, ${file} names ${cosignerName(stranger.id)}`, 'list cosigners of the dealing only');
  const listed = new Set([own, ...cosigners.map(({ id }) => id)]);
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((id) => !listed.has(id));
  if (missing.length === 0) return;
  const names = missing.map(cosignerName);
  throw mismatch(
    `${dealt}, ${file} has no [[cosigner]] section of ${names.join(', ')}`,
    `add a [[cosigner]] section with \`id\` and \`pin\` of ${names.join(', ')}, as \`hekate init\` wrote it in the other homes (any ` +
      `sentry-link.toml has all pins), and copy ${names.map((name) => `tls/peers/${name}.crt`).join(', ')} from there`,
  );
}

function mismatch(problem: string, fix: string): HekateError {
  return new HekateError('GROUP_MISMATCH', problem, { fix });
}
