import { connect, createServer } from 'node:net';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FIXES } from '../error-codes.js';
import { HekateError, messageOf } from '../errors.js';
import { accessDenied } from '../ports/access-denied.js';
import { giveToFolderOwner } from '../ports/folder-owner.js';
import type { Log } from '../ports/log.js';
import type { ProcessStatus } from './process-status.js';

export const STATUS_SOCKET = 'status.sock';
/** A status of 256 chains and 32 cosigners fits many times over. */
const MAX_STATUS_BYTES = 16 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 2_000;
/** sockaddr_un holds 108 bytes; the name is appended. */
const MAX_SOCKET_PATH = 100;

export interface StatusServer {
  close(): void;
}

/**
 * Answers every connection to HOME/status.sock with one JSON document. The caller holds the lock of the home, so a
 * socket file that is already there was left by a process that is gone.
 */
export async function serveStatus(home: string, describe: () => ProcessStatus): Promise<StatusServer> {
  const path = join(home, STATUS_SOCKET);
  tryUnlink(path);
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Who asks and does not go away keeps nobody from ending.
    socket.unref();
    socket.end(JSON.stringify(describe()));
  });
  await withShortPath(path, (short) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(short, () => resolve());
    });
  });
  server.on('error', () => undefined);
  const close = (): void => {
    server.close();
    tryUnlink(path);
  };
  try {
    chmodSync(path, 0o600);
    giveToFolderOwner(path);
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/**
 * As serveStatus, for a process that has better things to do: where the socket cannot be made, that is one warning in the log.
 * Returns what ends it.
 */
export async function serveStatusIfPossible(
  home: string,
  describe: () => ProcessStatus,
  log: Log,
): Promise<() => void> {
  try {
    const server = await serveStatus(home, describe);
    return () => server.close();
  } catch (error) {
    const code = 'STATUS_UNAVAILABLE';
    log.warn('no status can be asked for', { code, reason: messageOf(error), fix: FIXES[code] });
    return () => undefined;
  }
}

/** Asks the process of a home; throws HekateError NOT_RUNNING when nobody answers. */
export async function readStatus(home: string): Promise<ProcessStatus> {
  const path = join(home, STATUS_SOCKET);
  try {
    const text = await withShortPath(path, readAll);
    return JSON.parse(text) as ProcessStatus;
  } catch (error) {
    const denied = accessDenied(error, path);
    if (denied !== undefined) throw denied;
    throw new HekateError('NOT_RUNNING', `no process answers for ${home} (${messageOf(error)})`, { cause: error });
  }
}

function readAll(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const parts: Buffer[] = [];
    let size = 0;
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (part) => {
      parts.push(part);
      size += part.length;
      if (size > MAX_STATUS_BYTES) socket.destroy(new Error('answer too long'));
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
  });
}

/** Unix socket paths are short; a deep home is reached through a symlink that lives only for the call. */
async function withShortPath<T>(path: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return use(path);
  const folder = mkdtempSync(join(tmpdir(), 'hk-'));
  try {
    symlinkSync(dirname(path), join(folder, 'h'));
    return await use(join(folder, 'h', STATUS_SOCKET));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Not there: what we wanted.
  }
}
