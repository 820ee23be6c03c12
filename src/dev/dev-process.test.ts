import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DevProcess } from './dev-process.js';

/** Ends as our processes do: when nothing is left to do; says so in a file, which a killed one does not. */
const WELL = `
  import { writeFileSync } from 'node:fs';
  process.once('disconnect', () => undefined);
  process.channel.unref();
  const running = setInterval(() => undefined, 1000);
  process.once('SIGTERM', () => clearInterval(running));
  process.once('exit', () => writeFileSync(process.argv[1] + '.ended', ''));
  console.log(JSON.stringify({ level: 'info', event: 'ready' }));
`;
const DEAF = WELL.replace(
  "process.once('SIGTERM', () => clearInterval(running))",
  "process.on('SIGTERM', () => undefined)",
);
const FAILS = "console.error('PORT_IN_USE: taken. Fix: free it'); process.exit(2)";

let dir: string;
let main: string;
let told: string[];
let child: DevProcess;
let pid: number | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-dev-'));
  main = join(dir, 'main.mjs');
  told = [];
});
afterEach(() => {
  child.kill();
  rmSync(dir, { recursive: true });
});

function start(program: string): void {
  writeFileSync(main, program);
  child = new DevProcess({
    name: 'cosigner-1',
    role: 'cosigner',
    dir,
    main,
    restartMs: 20,
    onEvent: () => undefined,
    onStart: (_name, started) => ((pid = started), told.push('start')),
    onDeath: (_name, how, restartMs) => told.push(`${how}, again in ${restartMs}`),
    onGivenUp: (_name, why) => told.push(`given up: ${why}`),
  });
  child.start();
}

it.each([
  ['ends by itself', WELL, 60_000, true],
  ['is killed when it does not', DEAF, 300, false],
])('a process that is stopped %s', async (_name, program, graceMs, ended) => {
  start(program);
  await child.ready;
  await child.stop(graceMs);
  expect([existsSync(`${main}.ended`), told]).toEqual([ended, ['start']]);
});

it.each([
  ['SIGTERM', 'exit code 0'],
  ['SIGKILL', 'SIGKILL'],
] as const)('one that is ended by %s is started again', async (signal, how) => {
  start(WELL);
  await child.ready;
  process.kill(pid ?? 0, signal);
  await vi.waitFor(() => expect(told).toEqual(['start', `${how}, again in 20`, 'start']), 10_000);
  await child.stop(60_000);
  expect(told).toHaveLength(3);
});

it('one that is stopped while it waits to be started again stays down', async () => {
  start(FAILS);
  await vi.waitFor(() => expect(told).toContain('exit code 2, again in 20'), 10_000);
  await child.stop(0);
  const before = [...told];
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toEqual(before);
});

it('one that never gets ready is given up, with what it said last', async () => {
  start(FAILS);
  await vi.waitFor(() => expect(told.at(-1)).toMatch(/^given up/), 25_000);
  expect(told).toEqual([
    ...[20, 40, 80].flatMap((ms) => ['start', `exit code 2, again in ${ms}`]),
    'start',
    'given up: PORT_IN_USE: taken. Fix: free it',
  ]);
});

it('a program that cannot be started is given up too', async () => {
  const node = process.execPath;
  process.execPath = join(dir, 'no-node');
  try {
    start('');
    await vi.waitFor(() => expect(told.at(-1)).toMatch(/^given up: spawn .* ENOENT/), 25_000);
  } finally {
    process.execPath = node;
  }
});
