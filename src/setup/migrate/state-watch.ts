import { createHash } from 'node:crypto';
import { promises as fsp } from 'node:fs';

/** What a state file did while it was watched. */
export interface StateWatch {
  readonly file: string;
  /** Since it was written last, as its clock has it; never negative. */
  readonly ageSeconds: number;
  readonly changed: boolean;
}

/** How a file looks: anything that a write leaves behind. */
type Look = string;

/** Begins to watch: the result says what has changed since. Its contents are a place, no secret. */
export async function watchStateFile(file: string, wallSecond: () => number): Promise<() => Promise<StateWatch>> {
  const before = await lookAt(file);
  return async () => {
    const after = await lookAt(file);
    const ageSeconds = Math.max(0, wallSecond() - Math.floor(after.mtimeMs / 1000));
    return { file, ageSeconds, changed: before.look !== after.look };
  };
}

async function lookAt(file: string): Promise<{ readonly look: Look; readonly mtimeMs: number }> {
  const stats = await fsp.stat(file, { bigint: true }).catch(() => undefined);
  const contents = await fsp.readFile(file).catch(() => Buffer.alloc(0));
  const hash = createHash('sha256').update(contents).digest('hex');
  // A file that went away has changed, too.
  return { look: `${stats?.ino} ${stats?.mtimeNs} ${hash}`, mtimeMs: Number((stats?.mtimeNs ?? 0n) / 1_000_000n) };
}
