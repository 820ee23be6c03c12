import { createServer, type Server, type Socket } from 'node:net';
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FIXES } from '../error-codes.js';
import { HekateError, messageOf } from '../errors.js';
import { giveToFolderOwner } from '../ports/folder-owner.js';
import type { Log } from '../ports/log.js';
import { Conversation } from './conversation.js';
import { errorText, type ProcessRequests } from './process-requests.js';
import { STATUS_SOCKET, withShortPath } from './socket-path.js';

/** Operators and their scripts; a handful at once. */
export const MAX_CLIENTS = 16;
/** For those that are refused to read it. */
const REFUSAL_MS = 1_000;
/** What nobody but the owner may do; on a socket, write is what lets connect. */
const ALL_BUT_OWNER = 0o177;

export interface StatusServer {
  close(): void;
}

/**
 * Answers requests on HOME/status.sock, those of the home's owner and of root. The caller holds the lock of the home, so a
 * socket file that is already there was left by a process that is gone.
 */
export async function serveStatus(home: string, requests: ProcessRequests): Promise<StatusServer> {
  const path = join(home, STATUS_SOCKET);
  tryUnlink(path);
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= MAX_CLIENTS) return refuse(socket);
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    // Who asks and does not go away keeps nobody from ending.
    socket.unref();
    new Conversation(socket, requests).start();
  });
  server.maxConnections = 4 * MAX_CLIENTS;
  await withShortPath(path, (short) => listen(server, short));
  server.on('error', () => undefined);
  const close = (): void => {
    server.close();
    for (const socket of clients) socket.destroy();
    tryUnlink(path);
  };
  try {
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
export async function serveStatusIfPossible(home: string, requests: ProcessRequests, log: Log): Promise<() => void> {
  try {
    const server = await serveStatus(home, requests);
    return () => server.close();
  } catch (error) {
    const code = 'STATUS_UNAVAILABLE';
    log.warn('no status can be asked for', { code, reason: messageOf(error), fix: FIXES[code] });
    return () => undefined;
  }
}

/** Node makes the socket within this call, so that it never exists with a mode that lets others in. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(ALL_BUT_OWNER);
    try {
      server.listen(path, () => resolve());
    } finally {
      process.umask(before);
    }
  });
}

function refuse(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  const fix = 'ask again; if it stays so, find out who has that many connections to the status.sock of this home';
  socket.unref();
  socket.resume();
  socket.setTimeout(REFUSAL_MS, () => socket.destroy());
  socket.end(errorText(new HekateError('BUSY', `${MAX_CLIENTS} others ask this process just now`, { fix })));
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Not there: what we wanted.
  }
}
