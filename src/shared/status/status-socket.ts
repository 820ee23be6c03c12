import { connect, createServer } from 'node:net';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HekateError, messageOf } from '../errors.js';
import { accessDenied } from '../ports/access-denied.js';
import { giveToFolderOwner } from '../ports/folder-owner.js';
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
    socket.end(JSON.stringify(describe()));
  });
  await withShortPath(path, (short) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(short, () => resolve());
    });
  });
  server.on('error', () => undefined);
  chmodSync(path, 0o600);
  giveToFolderOwner(path);
  return {
    close: () => {
      server.close();
      tryUnlink(path);
    },
  };
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
