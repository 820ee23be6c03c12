import { connect } from 'node:net';
import { join } from 'node:path';
import { isErrorCode } from '../error-codes.js';
import { HekateError, messageOf } from '../errors.js';
import { accessDenied } from '../ports/access-denied.js';
import type { WrittenAnswer, WrittenRequest } from './process-requests.js';
import type { ProcessStatus } from './process-status.js';
import { STATUS_SOCKET, withShortPath } from './socket-path.js';

/** A status of 256 chains and 32 cosigners fits many times over. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 2_000;
const NEWLINE = 10;

/**
 * Asks the process of a home for one thing, and resolves with its answer, unchecked. Throws NOT_RUNNING when nobody answers,
 * ACCESS_DENIED, PROCESS_SILENT, COMMAND_UNKNOWN, and whatever that process says against it, with its code, cause and fix.
 */
export async function askProcess(
  home: string,
  request: WrittenRequest,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<object> {
  const said = await exchange(home, request, timeoutMs);
  if ('answer' in said) return said.answer;
  if (!('error' in said))
    throw new HekateError('COMMAND_UNKNOWN', `the process of ${home} tells its status and knows no requests`);
  const { code, cause, fix } = said.error;
  if (isErrorCode(code)) throw new HekateError(code, cause, { fix });
  throw new HekateError('COMMAND_UNKNOWN', `the process of ${home} says ${code}: ${cause}`, { fix });
}

/** What a process tells of itself; throws as askProcess does. */
export async function readStatus(home: string): Promise<ProcessStatus> {
  const said = await exchange(home, { request: 'status' }, ANSWER_TIMEOUT_MS);
  // A release that knows no requests tells its status to whoever connects.
  return ('answer' in said ? said.answer : said) as ProcessStatus;
}

async function exchange(
  home: string,
  request: WrittenRequest,
  timeoutMs: number,
): Promise<WrittenAnswer | ProcessStatus> {
  const path = join(home, STATUS_SOCKET);
  try {
    const text = await withShortPath(path, (short) => firstLine(short, `${JSON.stringify(request)}\n`, timeoutMs));
    if (text === undefined)
      throw new HekateError('PROCESS_SILENT', `the process of ${home} has not answered within ${timeoutMs} ms`);
    return JSON.parse(text) as WrittenAnswer | ProcessStatus;
  } catch (error) {
    if (error instanceof HekateError) throw error;
    const denied = accessDenied(error, path);
    if (denied !== undefined) throw denied;
    throw new HekateError('NOT_RUNNING', `no process answers for ${home} (${messageOf(error)})`, { cause: error });
  }
}

/** What comes back up to the end of its first line, or of the connection; undefined when that takes too long. */
function firstLine(path: string, text: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const parts: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => end(undefined), timeoutMs);
    const end = (line: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(line);
    };
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.on('data', (part) => {
      const newline = part.indexOf(NEWLINE);
      parts.push(newline < 0 ? part : part.subarray(0, newline));
      size += part.length;
      if (size > MAX_ANSWER_BYTES) fail(new Error('answer too long'));
      else if (newline >= 0) end(Buffer.concat(parts).toString('utf8'));
    });
    socket.on('error', fail);
    socket.on('end', () => end(Buffer.concat(parts).toString('utf8')));
    socket.write(text);
  });
}
