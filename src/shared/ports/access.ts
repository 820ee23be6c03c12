import { MODE_MASK, octal } from './file-mode.js';

/** What a file or folder must be kept from: a secret from being read, what we act on from being changed, by others. */
export type Guarded = 'secret' | 'unchanged';

export interface AccessFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Reader {
  readonly uid: number;
  /** With the supplementary ones. */
  readonly groups: readonly number[];
}

/** Why a file is not safe, as it follows its path ("has mode 0644: …"), and the command that mends it. */
export interface TooOpen {
  readonly problem: string;
  /** Before the path. */
  readonly command: string;
}

/**
 * Who may get at a file, rather than which bits it has: nothing for others, its owner us or root, and group bits for a group
 * of ours or root's alone. Ours are the supplementary ones too: a volume of Kubernetes with an fsGroup belongs to one. For
 * root that looks at somebody's files their groups are not its to judge. Undefined: it is in order.
 */
export function whyTooOpen({ mode, uid, gid }: AccessFacts, reader: Reader, guarded: Guarded): TooOpen | undefined {
  const [bits, may] = guarded === 'secret' ? [0o7, 'use'] : [0o2, 'change'];
  const root = reader.uid === 0;
  if (uid !== reader.uid && uid !== 0 && !root)
    return { problem: `belongs to user ${uid}, who may ${may} it`, command: `chown ${reader.uid}` };
  if ((mode & bits) !== 0)
    return {
      problem: `has mode ${octal(mode)}: everybody may ${may} it`,
      command: `chmod ${octal(mode & MODE_MASK & ~bits & ~(guarded === 'secret' ? 0o070 : 0o020))}`,
    };
  const judged = !(root && uid !== 0) && gid !== 0 && !reader.groups.includes(gid);
  if (judged && (mode & (bits << 3)) !== 0)
    return {
      problem: `has mode ${octal(mode)}: group ${gid}, which is not ours, may ${may} it`,
      command: `chmod ${octal(mode & MODE_MASK & ~(bits << 3))}`,
    };
  return undefined;
}
