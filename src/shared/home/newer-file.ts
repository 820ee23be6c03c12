import { HekateError } from '../errors.js';

/** A file of a newer release than this one, which may mean something else by what it holds. */
export function newerFile(what: string, version: number, known: number): HekateError<'FILE_VERSION'> {
  return new HekateError('FILE_VERSION', `${what} has version ${version}, this hekate knows up to ${known}`);
}
