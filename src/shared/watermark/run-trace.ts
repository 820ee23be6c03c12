import { toHex } from '../bytes.js';
import { FIXES } from '../error-codes.js';
import { HekateError, messageOf } from '../errors.js';
import type { Log } from '../ports/log.js';
import type { RunFile, RunFolder } from '../ports/run-folder.js';
import { encodeRunFileName, RUN_FILE_NAME_OFFSETS } from './run-file-name.js';
import { decodeRunRecord, encodeRunRecord, RUN_RECORD_BYTES, standing } from './run-record.js';
import type { RunRecord, Standing } from './run-record.js';
import type { StateBinding } from './slot-record.js';
import type { CopyRepair, RecoveredState } from './state-file.js';

/** Name of the file of one cosigner, chain and key. */
export function runFileName(cosigner: number, { chainId, groupPublicKey }: StateBinding): string {
  return `${chainId}.${toHex(groupPublicKey).slice(0, 32)}.${cosigner}.run`;
}

/** What one state leaves in the run-time folder: how the next start knows that only the process was restarted. */
export class RunTrace {
  readonly #file: RunFile;
  readonly path: string;
  readonly #log: Log;
  /** One after the other, and each is written when `leave` returns. */
  readonly #record = Buffer.from(new ArrayBuffer(RUN_RECORD_BYTES));

  /** Throws STATE_LOCKED, RUN_FOLDER_UNUSABLE. */
  constructor(folder: RunFolder, name: string, log: Log) {
    this.path = folder.pathOf(name);
    this.#file = folder.open(name);
    this.#log = log;
  }

  standing(state: Pick<RecoveredState, 'life' | 'sequence'>): Standing {
    return standing(state, decodeRunRecord(this.#file.read()));
  }

  /** To be written into the state before anything is left, so that it names this file. */
  claim({ runFiles }: Pick<RecoveredState, 'runFiles'>): readonly CopyRepair[] {
    if (runFiles.length === 1 && runFiles[0] === this.path) return [];
    const bytes = encodeRunFileName(this.path);
    return RUN_FILE_NAME_OFFSETS.map((offset) => ({ offset, bytes }));
  }

  /** False: it could not be left, nothing stands there any more, and the next start waits. Throws when an old one may stand. */
  leave(record: RunRecord): boolean {
    try {
      this.#file.write(encodeRunRecord(record, this.#record));
      return true;
    } catch (error) {
      this.#removeFile();
      const code = 'RUN_FOLDER_UNUSABLE';
      const fields = { code, file: this.path, reason: messageOf(error), fix: FIXES[code] };
      this.#log.warn('the next start of this cosigner will wait for the others', fields);
      return false;
    }
  }

  close(): void {
    this.#file.close();
  }

  #removeFile(): void {
    try {
      this.#file.remove();
    } catch (error) {
      const problem = `${this.path} can neither be written nor removed (${messageOf(error)})`;
      throw new HekateError('RUN_FOLDER_UNUSABLE', problem, { cause: error });
    }
  }
}
