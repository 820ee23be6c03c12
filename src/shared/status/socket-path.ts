import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** In a home, while its process runs. */
export const STATUS_SOCKET = 'status.sock';
/** sockaddr_un holds 108 bytes; the name is appended. */
const MAX_SOCKET_PATH = 100;

/** Unix socket paths are short; a deep home is reached through a symlink that lives only for the call. */
export async function withShortPath<T>(path: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return use(path);
  const folder = mkdtempSync(join(tmpdir(), 'hk-'));
  try {
    symlinkSync(dirname(path), join(folder, 'h'));
    return await use(join(folder, 'h', STATUS_SOCKET));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
