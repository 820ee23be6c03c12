// Loaded into a process before hekate's own code (`node --import`), for tests that search its memory. Writes down what the
// process draws at random, masked, so that this leaves no copy in that memory; keeps a command that is done from ending;
// leaks on demand; takes libsodium's addon away on demand.
import crypto from 'node:crypto';
import { openSync, writeFileSync, writeSync } from 'node:fs';
import Module, { syncBuiltinESMExports } from 'node:module';
import { DRAW_MASK, LEAKS, type WatchEnvironment } from './watched-run.js';

const environment = process.env as WatchEnvironment;
const { HEKATE_WATCH_DRAWS: drawsFile = '', HEKATE_WATCH_END: endFile, HEKATE_WATCH_LEAK: leak } = environment;

const fd = openSync(drawsFile, 'a', 0o600);
const masked = new Uint8Array(new ArrayBuffer(256));
const leaked: unknown[] = [];
const { randomFillSync } = crypto;

function watchedFill<T extends NodeJS.ArrayBufferView>(view: T): T {
  randomFillSync(view);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  masked[0] = bytes.length;
  for (let i = 0; i < bytes.length; i++) masked[i + 1] = bytes[i]! ^ DRAW_MASK;
  writeSync(fd, masked, 0, bytes.length + 1);
  const form = LEAKS.get(leak ?? '');
  if (form !== undefined) leaked.push(form(bytes));
  return view;
}

crypto.randomFillSync = watchedFill;
syncBuiltinESMExports();

if (environment.HEKATE_WATCH_NO_ADDON !== undefined) {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  loader._load = (request, ...rest) => {
    if (request === 'sodium-native') throw new Error('no addon for this machine');
    return load(request, ...rest);
  };
}

if (endFile !== undefined)
  process.once('beforeExit', () => {
    writeFileSync(endFile, String(leaked.length));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
