import { promises as fsp } from 'node:fs';
import { dirname } from 'node:path';
import type { ErrorCode } from '../shared/error-codes.js';
import { HekateError, isHekateError } from '../shared/errors.js';
import type { Disk } from '../shared/ports/disk.js';
import { syncFolder } from '../shared/ports/durable-file.js';
import { newSlotFile } from '../shared/watermark/state-file.js';
import { onState } from '../shared/watermark/state-errors.js';
import { decodeMark, encodeMark, markPath, readIfPresent, readMark } from '../shared/watermark/state-mark.js';
import type { StateBinding } from '../shared/watermark/slot-record.js';
import { WatermarkStore } from '../shared/watermark/store.js';
import { compareHrs, describePlace, type Watermark } from '../shared/watermark/watermark.js';
import { exists, makeFolder } from './durable-files.js';

export interface StateInitRequest {
  readonly path: string;
  readonly binding: StateBinding;
  readonly start: Watermark;
  /** An existing state may be raised. */
  readonly replace: boolean;
  /** An existing state may be lowered or thrown away unread: the operator said so in as many words. */
  readonly acceptRisk: boolean;
}

export interface StateInitResult {
  readonly outcome: 'created' | 'raised' | 'replaced';
  /** Files that were put aside. */
  readonly kept: readonly string[];
}

/** States that cannot be read; everything else that `open` refuses must be settled first. */
const UNREADABLE: readonly ErrorCode[] = ['STATE_TRUNCATED', 'STATE_CORRUPT', 'STATE_FOREIGN', 'STATE_MISSING'];

/**
 * Creates state file and mark, durably; never replaces a state file. Where a mark is left of a lost state the numbers go on
 * from it. `afterSequence` is a number that this state is known to have had. A crash leaves all or a mark alone, and then it
 * can be run again. Throws STATE_EXISTS, STATE_WRITE_FAILED, and STATE_ROLLED_BACK when `initial` is below the watermark that
 * the mark knows.
 */
export async function createState(
  disk: Disk,
  path: string,
  binding: StateBinding,
  initial: Watermark,
  afterSequence = 0n,
): Promise<void> {
  if ((await readIfPresent(disk, path)) !== undefined) {
    throw new HekateError('STATE_EXISTS', `state file ${path} exists already`);
  }
  const mark = await readMark(disk, path, binding);
  if (mark !== undefined && compareHrs(initial, mark.watermark) < 0) {
    const [wanted, known] = [describePlace(initial), describePlace(mark.watermark)];
    const fix = `start at ${known} or above; if the mark itself is wrong, move ${markPath(path)} away too`;
    throw new HekateError('STATE_ROLLED_BACK', `${wanted} is below ${known}, which ${path} had reached`, { fix });
  }
  const last = mark !== undefined && mark.sequence > afterSequence ? mark.sequence : afterSequence;
  const state = { sequence: last + 2n, watermark: initial, life: undefined };
  // The mark first: a crash in between leaves a mark without a state, from which a second `createState` goes on.
  if (mark === undefined) {
    await onState(markPath(path), 'STATE_WRITE_FAILED', () => disk.create(markPath(path), encodeMark(binding, state)));
  }
  const contents = newSlotFile(binding, state.sequence, initial);
  await onState(path, 'STATE_WRITE_FAILED', () => disk.create(path, contents));
}

/**
 * Makes a watermark by an operator's will. Where one exists it is only raised (with `replace`), unless the risk was
 * accepted; then the old files are put aside, never deleted, and sequence numbers go on. Throws STATE_EXISTS,
 * STATE_LOCKED while a cosigner runs on it, REPLACE_REFUSED, STATE_ROLLED_BACK, and what WatermarkStore throws.
 */
export async function initState(disk: Disk, request: StateInitRequest): Promise<StateInitResult> {
  const { path, binding, start, replace, acceptRisk } = request;
  const hasMark = await exists(markPath(path));
  if (!(await exists(path))) {
    if (hasMark && replace && acceptRisk) return await replaceState(disk, request, undefined);
    await makeFolder(dirname(path));
    await createState(disk, path, binding, start);
    return { outcome: 'created', kept: [] };
  }
  if (!replace)
    throw new HekateError('STATE_EXISTS', `state file ${path} exists already`, {
      fix: 'use it as it is; --replace raises its watermark',
    });
  const store = await openOrProblem(disk, path, binding);
  if (isHekateError(store)) {
    if (acceptRisk) return await replaceState(disk, request, undefined);
    throw refused(`${path} cannot be read (${store.code}), so nobody knows what was signed on it`);
  }
  const { current, sequence } = store;
  try {
    if (compareHrs(start, current) > 0) {
      await store.raiseTo(start);
      return { outcome: 'raised', kept: [] };
    }
    if (!acceptRisk)
      throw refused(
        `${path} is at ${describePlace(current)}; a start at ${describePlace(start)} would let what is signed be signed a second time`,
      );
    return await replaceState(disk, request, sequence);
  } finally {
    await store.close();
  }
}

async function openOrProblem(disk: Disk, path: string, binding: StateBinding): Promise<WatermarkStore | HekateError> {
  try {
    return await WatermarkStore.open(disk, path, binding);
  } catch (error) {
    if (isHekateError(error) && UNREADABLE.includes(error.code)) return error;
    throw error;
  }
}

/** `sequence`: that of the state, when it could be read. The lock of a readable state is held by the caller. */
async function replaceState(
  disk: Disk,
  request: StateInitRequest,
  sequence: bigint | undefined,
): Promise<StateInitResult> {
  const { path, binding, start } = request;
  const last = [sequence ?? 0n, (await markedSequence(disk, path, binding)) ?? 0n].reduce((a, b) => (a > b ? a : b));
  const kept: string[] = [];
  const suffix = await freeSuffix(path);
  for (const file of [path, markPath(path)]) {
    if (!(await exists(file))) continue;
    await fsp.rename(file, `${file}${suffix}`);
    kept.push(`${file}${suffix}`);
  }
  await syncFolder(dirname(path));
  await createState(disk, path, binding, start, last);
  return { outcome: 'replaced', kept };
}

async function markedSequence(disk: Disk, path: string, binding: StateBinding): Promise<bigint | undefined> {
  try {
    return decodeMark(await disk.read(markPath(path)), binding, markPath(path)).sequence;
  } catch {
    return undefined;
  }
}

async function freeSuffix(path: string): Promise<string> {
  for (let number = 1; ; number++) {
    const suffix = `.bak-${number}`;
    if (!(await exists(`${path}${suffix}`)) && !(await exists(`${markPath(path)}${suffix}`))) return suffix;
  }
}

function refused(problem: string): HekateError {
  return new HekateError('REPLACE_REFUSED', problem);
}
