import { readPrivateFile } from '../../shared/home/private-file.js';
import type { FilePvState } from '../file-pv.js';

const MAX_STATE_BYTES = 64 * 1024;

/** What `parse` makes of the state file of an old signer. Throws STATE_IMPORT_INVALID, ACCESS_DENIED and what `parse` throws. */
export async function readStateFile(path: string, parse: (text: string) => FilePvState): Promise<FilePvState> {
  const codes = { missing: 'STATE_IMPORT_INVALID', mode: undefined, invalid: 'STATE_IMPORT_INVALID' } as const;
  const contents = await readPrivateFile(path, 'the state file', MAX_STATE_BYTES, codes);
  return parse(Buffer.from(contents).toString('utf8'));
}
