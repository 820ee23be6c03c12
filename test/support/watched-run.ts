import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from './eventually.js';
import { guardAgainstOrphan } from './orphan-guard.js';
import { HEKATE_MAIN, PROJECT_ROOT } from './project.js';

/** What tells watched-process.ts what to do. */
export interface WatchEnvironment {
  /** File for all random draws: a length and the bytes, masked, one after the other. */
  readonly HEKATE_WATCH_DRAWS?: string;
  /** Made when a command is done, which then waits to be killed. */
  readonly HEKATE_WATCH_END?: string;
  /** One of LEAKS: keep every draw in this form. */
  readonly HEKATE_WATCH_LEAK?: string;
  /** Set: no addon of libsodium loads. */
  readonly HEKATE_WATCH_NO_ADDON?: string;
}

export const DRAW_MASK = 0xa5;

type Leak = (bytes: Uint8Array) => unknown;

const leaks: readonly (readonly [string, Leak])[] = [
  ['bytes', (bytes) => new Uint8Array(bytes)],
  ['half of the bytes', (bytes) => bytes.slice(bytes.length / 2)],
  ['hex', (bytes) => Buffer.from(bytes).toString('hex')],
  ['base64', (bytes) => Buffer.from(bytes).toString('base64')],
  ['a part of JSON', (bytes) => JSON.stringify({ priv_key: Buffer.from(bytes).toString('base64') })],
  ['a string of two bytes a character', (bytes) => Buffer.from(`„${Buffer.from(bytes).toString('hex')}“`).toString()],
  ['numbers', (bytes) => Array.from(bytes)],
  ['words', (bytes) => Uint32Array.from(bytes)],
];

/** Ways in which a program may keep a secret by mistake. */
export const LEAKS: ReadonlyMap<string, Leak> = new Map(leaks);

const PRELOAD = pathToFileURL(join(PROJECT_ROOT, 'dist', 'test', 'support', 'watched-process.js')).href;

/** Options of Node for a process that is watched; the rest is in its environment. */
export const WATCH_ARGS: readonly string[] = ['--import', PRELOAD];

/** A command that has done its work and has not ended. */
export interface WatchedRun {
  readonly pid: number;
  readonly draws: readonly Uint8Array[];
  kill(): void;
}

/**
 * Runs `hekate` with its draws watched until its work is done. `folder` takes the files of the watch, `stdin` is what comes
 * from standard input.
 */
export async function runWatched(
  args: readonly string[],
  folder: string,
  more: WatchEnvironment = {},
  stdin?: Uint8Array,
): Promise<WatchedRun> {
  const [drawsFile, endFile] = [join(folder, 'draws'), join(folder, 'end')];
  const env = { ...process.env, HEKATE_WATCH_DRAWS: drawsFile, HEKATE_WATCH_END: endFile, ...more };
  const child = spawn(process.execPath, [...WATCH_ARGS, HEKATE_MAIN, ...args], {
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
    env,
  });
  child.stdin?.end(stdin);
  guardAgainstOrphan(child);
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  let ended = false;
  child.once('close', () => (ended = true));
  await eventually('the command is done', 30_000, () => existsSync(endFile) || ended || undefined, 10);
  if (ended || child.pid === undefined) throw new Error(`hekate ${args.join(' ')} ended: ${said}`);
  return { pid: child.pid, draws: readDraws(drawsFile), kill: () => void child.kill('SIGKILL') };
}

/** All that a watched process has drawn so far. */
export function readDraws(file: string): Uint8Array[] {
  const contents = readFileSync(file);
  const draws: Uint8Array[] = [];
  for (let at = 0; at < contents.length; at += 1 + (contents[at] ?? 0))
    draws.push(contents.subarray(at + 1, at + 1 + (contents[at] ?? 0)).map((byte) => byte ^ DRAW_MASK));
  return draws;
}
