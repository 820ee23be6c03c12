import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { RestartDelay } from './restart-delay.js';
import { Watcher } from './watcher.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-watcher-'));
const programs = join(folder, 'program.mjs');
/** Beats once, or for as long as it runs; what else it does is the test's. */
const program = (rest: string): void =>
  writeFileSync(programs, `process.send({ kind: 'beat' }); setInterval(() => undefined, 1000); ${rest}`);

let watcher: Watcher;
let started: ChildProcess[] = [];
function watch(rest: string): Watcher {
  program(rest);
  started = [];
  const start = (): ChildProcess => {
    const child = fork(programs, { stdio: 'ignore' });
    started.push(child);
    return child;
  };
  watcher = new Watcher({ start, restartDelay: new RestartDelay(10, 20), say: () => undefined });
  watcher.start();
  return watcher;
}
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
});
afterEach(() => rmSync(programs, { force: true }));

const BEATS = "setInterval(() => process.send({ kind: 'beat' }), 50);";

it.each<[name: string, rest: string, ended: object]>([
  ['ends by itself', 'process.exit(3)', { code: 3, signal: null }],
  ['is ended by a signal', "process.kill(process.pid, 'SIGKILL')", { code: null, signal: 'SIGKILL' }],
])('one that %s is not started again', async (_name, rest, ended) => {
  expect(await watch(rest).ended).toEqual(ended);
  expect(started).toHaveLength(1);
});

it('one that stands still is killed and started again, each time', async () => {
  watch('');
  await vi.waitFor(() => expect(started.length).toBe(3), 20_000);
  expect(started.slice(0, 2).map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
  // While it waits for its next start, or runs: it is over.
  program('process.exit(0)');
  watcher.signal('SIGTERM');
  await watcher.ended;
});

it('a program that cannot be started ends it', async () => {
  const start = (): ChildProcess => fork(programs, { execPath: join(folder, 'none'), stdio: 'ignore' });
  const said: string[] = [];
  const failing = new Watcher({ start, say: (event) => said.push(event) });
  failing.start();
  expect(await failing.ended).toEqual({ code: 1, signal: null });
  expect(said).toEqual(['the process could not be started']);
});

it('until it hears messages, a signal is a signal; afterwards a message, which may come beside one', async () => {
  watch(BEATS);
  await vi.waitFor(() => expect(started[0]?.connected).toBe(true));
  watcher.signal('SIGTERM');
  expect(await watcher.ended).toEqual({ code: null, signal: 'SIGTERM' });

  const hears = `process.send({ kind: 'hears', process: 'a', format: 'json' }); ${BEATS}
    process.on('message', ({ kind, signal }) => process.exit(kind === 'signal' && signal === 'SIGINT' ? 5 : 6));`;
  watch(hears);
  await new Promise((resolve) => started[0]?.once('message', resolve));
  await new Promise((resolve) => started[0]?.once('message', resolve));
  watcher.signal('SIGINT');
  expect(await watcher.ended).toEqual({ code: 5, signal: null });
});
