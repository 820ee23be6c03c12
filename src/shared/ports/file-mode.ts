/** Its owner reads and writes the file, nobody else. */
export const MODE_PRIVATE = 0o600;
const OTHERS = 0o077;

/** Why a file of this mode is not its owner's alone, as "has mode 0640: …"; undefined when it is. */
export function whyNotPrivate(mode: number): string | undefined {
  return (mode & OTHERS) === 0 ? undefined : `${hasMode(mode)}: others than its owner may use it`;
}

/**
 * Why its owner should not write to a file of this mode, or undefined. The kernel lets root write to a file that its owner
 * made read-only. Somebody meant it: respect it.
 */
export function whyNotWritable(mode: number): string | undefined {
  return (mode & MODE_PRIVATE) === MODE_PRIVATE ? undefined : `${hasMode(mode)}: its owner may not write to it`;
}

function hasMode(mode: number): string {
  return `has mode ${(mode & 0o777).toString(8).padStart(4, '0')}`;
}
