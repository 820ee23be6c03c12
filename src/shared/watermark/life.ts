import { basename } from 'node:path';
import type { RandomBytes } from '../ports/random.js';
import type { RunTrace } from './run-trace.js';
import { LIFE_BYTES } from './slot-record.js';
import type { CopyRepair } from './state-file.js';
import type { MarkedState } from './state-mark.js';

/** What a state is from one start to the next (docs/invariants.md, W6): whether it waits, and what it leaves for the next start. */
export interface Life {
  /** Stands in every record that is written; undefined: none of a cosigner's. */
  readonly id: Uint8Array | undefined;
  /** Why the state that was read is known to be an older copy; undefined: it may be one all the same, while it waits. */
  readonly rolledBack: string | undefined;
  /** To be written into the state before anything is left. */
  readonly claims: readonly CopyRepair[];
  waiting: boolean;
  /** Record number `sequence` is on disk. Throws RUN_FOLDER_UNUSABLE: no share may leave. */
  leave(sequence: bigint): void;
  close(): void;
}

/** Begins the life of a state that was read. Throws RUN_FOLDER_MOVED. */
export type BeginLife = (state: MarkedState) => Life;

/** Of a command, which signs nothing: the next start of a cosigner waits, as the numbers have gone on. */
export const lifeOfCommand: BeginLife = ({ life, rolledBack }) => {
  return { id: life, rolledBack, claims: [], waiting: true, leave: () => undefined, close: () => undefined };
};

export interface RunFiles {
  /** Of the file of this cosigner, chain and key, in whatever folder. */
  readonly name: string;
  /** Undefined: there is no run-time folder. */
  readonly trace: RunTrace | undefined;
  /** Throws RUN_FOLDER_MOVED. */
  readonly remove: (path: string) => void;
}

/**
 * Of a cosigner. It goes on at once where its run-time record shows that only the process was restarted; otherwise it waits, in
 * a new life. What an earlier start left elsewhere is removed before anything else: two folders, or one and none, must not take
 * turns.
 */
export function lifeOfCosigner({ name, trace, remove }: RunFiles, random: RandomBytes): BeginLife {
  return (state) => {
    for (const path of state.runFiles) {
      // Another name is that of another cosigner, whose state was copied here: nothing that it leaves is ever read by us.
      if (path !== trace?.path && basename(path) === name) remove(path);
    }
    const standing = trace?.standing(state) ?? 'unknown';
    const lost = standing === 'behind' ? 'the state is older than what its run-time record knows' : undefined;
    const id = standing === 'same' ? state.life : random(LIFE_BYTES);
    let leaves = trace;
    return {
      ...{ id, rolledBack: state.rolledBack ?? lost, claims: trace?.claim(state) ?? [], waiting: standing !== 'same' },
      leave: (sequence) => {
        if (leaves !== undefined && id !== undefined && !leaves.leave({ life: id, sequence })) leaves = undefined;
      },
      close: () => trace?.close(),
    };
  };
}
