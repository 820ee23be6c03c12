import { HekateError } from '../errors.js';

/**
 * What this release speaks. A release that changes what messages mean counts it up, and says here from which number on it
 * still works with others: neighbouring releases always do.
 */
export const PROTOCOL = 2;
const OLDEST_PROTOCOL = 2;
/** What may be used with a peer that names it too, and which `PROTOCOL` does not imply. Names as in message-bounds.ts. */
const FEATURES: readonly string[] = [];

/** What a process says in its hello of the release that it runs; nothing is decided by `version`. */
export interface Release {
  readonly version: string;
  /** 0: older than the first release that says. */
  readonly protocol: number;
  /** Short names; those that are not known here mean nothing. */
  readonly features: readonly string[];
}

/** What we say ourselves. */
export function ownRelease(version: string): Release {
  return { version, protocol: PROTOCOL, features: FEATURES };
}

/** Why nothing is signed together with the process `name`; undefined when its release is new enough. */
export function tooOld(name: string, { version, protocol }: Release): HekateError<'PROTOCOL_OLD'> | undefined {
  if (protocol >= OLDEST_PROTOCOL) return undefined;
  const which = version === '' ? 'an older release of hekate' : `hekate ${version}, an older release`;
  const speaks = protocol === 0 ? 'which does not say its protocol' : `with protocol ${protocol}`;
  return new HekateError('PROTOCOL_OLD', `${name} runs ${which}, ${speaks}; ${OLDEST_PROTOCOL} is the oldest here`, {
    fix: `upgrade ${name} to the release that the others run, and start it again`,
  });
}
