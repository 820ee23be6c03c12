/** Its owner reads and writes the file, nobody else. */
export const MODE_PRIVATE = 0o600;
export const MODE_MASK = 0o777;

/**
 * Why its owner should not write to a file of this mode, or undefined. The kernel lets root write to a file that its owner
 * made read-only. Somebody meant it: respect it.
 */
export function whyNotWritable(mode: number): string | undefined {
  return (mode & MODE_PRIVATE) === MODE_PRIVATE ? undefined : `has mode ${octal(mode)}: its owner may not write to it`;
}

export function octal(mode: number): string {
  return (mode & MODE_MASK).toString(8).padStart(4, '0');
}
