// Runs before each test file: what children print, and what lies in a temporary folder when it is removed, is kept for
// test/traces/output.test.ts. Only looks on: nobody's data is read before or instead of them.
import { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { recordFolder, recordOutput } from './suite-record.js';

const INSTALLED = Symbol.for('hekate: the suite is recorded');

/** Files of one worker share its modules of Node. */
if (!(INSTALLED in globalThis)) {
  Object.defineProperty(globalThis, INSTALLED, { value: true });
  watchChildren();
  watchFolders();
}

/** Below spawn, execFile and fork. */
function watchChildren(): void {
  const prototype = ChildProcess.prototype as unknown as { spawn: (this: ChildProcess, options: unknown) => number };
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const result = spawn.call(this, options);
    for (const stream of [this.stdout, this.stderr]) if (stream) watchStream(stream);
    return result;
  };
}

function watchStream(stream: Readable): void {
  const emit = stream.emit.bind(stream) as (event: string | symbol, ...args: unknown[]) => boolean;
  stream.emit = (event: string | symbol, ...args: unknown[]) => {
    const [data] = args;
    if (event === 'data' && (typeof data === 'string' || data instanceof Uint8Array)) recordOutput(data);
    return emit(event, ...args);
  };
}

function watchFolders(): void {
  const { rmSync } = fs;
  const { rm } = fs.promises;
  const isOurs = (path: fs.PathLike): path is string => typeof path === 'string' && path.startsWith(tmpdir());
  fs.rmSync = (path, options) => {
    if (isOurs(path) && options?.recursive === true) recordFolder(path);
    rmSync(path, options);
  };
  fs.promises.rm = async (path, options) => {
    if (isOurs(path) && options?.recursive === true) recordFolder(path);
    await rm(path, options);
  };
  syncBuiltinESMExports();
}
