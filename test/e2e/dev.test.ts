import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanupAfterAll, cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { guardAgainstOrphan } from '../support/orphan-guard.js';
import { PROJECT_ROOT, TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';

// `npm start` as a person uses it: one thing ends it, nothing is left of it, and the next one goes on.
const CHAIN = 'hekate-dev-1';
const HOMES = ['cosigner-1', 'cosigner-2', 'cosigner-3', 'sentry-link-1', 'sentry-link-2'];
const folders = cleanupAfterAll();
const cleanup = cleanupAfterEach();

interface Status {
  readonly pid: number | null;
  readonly processes: readonly {
    readonly home: string;
    readonly running: boolean;
    readonly status?: { pid: number };
  }[];
}

function newFolder(name: string): string {
  const folder = new TestFolder(name);
  folders.add(() => folder.remove());
  return folder.path;
}

async function statusOf(dir: string): Promise<Status> {
  const [status] = JSON.parse((await runHekate(['dev', 'status', '--dir', dir, '--json'])).stdout) as Status[];
  if (status === undefined) throw new Error(`no cluster in ${dir}`);
  return status;
}

/** Process ids by home, those that run. */
async function pidsOf(dir: string): Promise<ReadonlyMap<string, number>> {
  const { processes } = await statusOf(dir);
  return new Map(
    processes.flatMap(({ home, status }) => (status ? [[home.slice(home.lastIndexOf('/') + 1), status.pid]] : [])),
  );
}

function runs(pid: number): boolean {
  try {
    // One that has ended and is waited for by nobody is a zombie where nobody reaps.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** One `npm start`, in a process group of its own as a shell would put it. */
class Start {
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  stdout = '';
  stderr = '';

  constructor(
    readonly dir: string,
    args: readonly string[] = [],
  ) {
    const command = ['start', '--silent', '--', '--dir', dir, ...args];
    this.child = spawn('npm', command, { cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    guardAgainstOrphan(this.child);
    this.child.stdout?.on('data', (bytes: Buffer) => (this.stdout += bytes.toString()));
    this.child.stderr?.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()));
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(code ?? signal)));
    cleanup.add(() => this.toGroup('SIGKILL'));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** As the terminal does. */
  toGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It is gone.
    }
  }

  /** Heights whose precommit was signed, in order. */
  heights(): number[] {
    return [...this.stdout.matchAll(/^signed Precommit:[0-9A-F]+ at h\/r\/s (\d+)\//gm)].map(([, height]) =>
      Number(height),
    );
  }

  /** Resolves when that many more blocks are made than now. */
  async blocks(more: number): Promise<void> {
    const before = this.heights().length;
    await eventually(`${more} more blocks`, 30_000, () => this.heights().length >= before + more || undefined);
  }

  /** What runs: npm, `hekate dev` and the processes. */
  async everyPid(): Promise<readonly number[]> {
    const { pid } = await statusOf(this.dir);
    const pids = await pidsOf(this.dir);
    expect([...pids.keys()]).toEqual(HOMES);
    return [this.pid, pid ?? 0, ...pids.values()];
  }
}

const nothingOf = (pids: readonly number[]): Promise<boolean> =>
  eventually('nothing is left', 10_000, () => !pids.some(runs) || undefined);

const ENDS = [
  ['SIGTERM', 'exit code 0'],
  ['SIGKILL', 'SIGKILL'],
] as const;
const STANDS_STILL = ['SIGSTOP', 'killed: its loop stood still for \\d\\.\\d s'] as const;

describe('a process of it that ends', () => {
  it('is said and started again, each of them, and no block is lost', async () => {
    const start = new Start(newFolder('dev'));
    await start.blocks(1);
    for (const home of HOMES) {
      for (const [signal, how] of home.startsWith('cosigner') ? ENDS : [...ENDS, STANDS_STILL]) {
        const before = (await pidsOf(start.dir)).get(home) ?? 0;
        process.kill(before, signal);
        await eventually(`${home} is started again`, 20_000, async () => {
          const now = (await pidsOf(start.dir)).get(home);
          return (now !== undefined && now !== before) || undefined;
        });
        expect(start.stdout).toMatch(new RegExp(`^${home} ended \\(${how}\\); it`, 'm'));
      }
      await start.blocks(1);
    }
    const pids = await start.everyPid();
    start.toGroup('SIGINT');
    expect(await start.ended).toBe(0);
    await nothingOf(pids);
    const heights = start.heights();
    expect(heights).toEqual(heights.map((_, i) => i + 1));
    expect(start.stdout).toMatch(/^\d+ blocks, \d+ signatures, 0 missed/m);
  });
});

describe('it ends, nothing is left, and the next one goes on', () => {
  const dir = newFolder('dev');
  let height = 0;
  const hang = (pids: readonly number[]): void => pids.slice(2).forEach((pid) => process.kill(pid, 'SIGSTOP'));

  it.each<[how: string, end: (start: Start, pids: readonly number[]) => unknown, exit: number | string, says: string]>([
    ['Ctrl-C', (start) => start.toGroup('SIGINT'), 0, 'ending (SIGINT)'],
    ['Ctrl-C while every process hangs', (start, pids) => (hang(pids), start.toGroup('SIGINT')), 0, 'ending (SIGINT)'],
    [
      'Ctrl-C twice while every process hangs',
      async (start, pids) => {
        hang(pids);
        start.toGroup('SIGINT');
        await eventually('it says so', 5_000, () => start.stdout.includes('ending (SIGINT)') || undefined);
        await new Promise((resolve) => setTimeout(resolve, 500));
        start.toGroup('SIGINT');
      },
      130,
      'once more ends it at once',
    ],
    [
      'the terminal is closed',
      (start) => (start.child.stdout?.destroy(), start.child.stderr?.destroy(), start.toGroup('SIGHUP')),
      'SIGHUP',
      '',
    ],
    ['what reads it is closed', (start) => start.child.stdout?.destroy(), 0, ''],
    ['SIGTERM to npm', (start) => process.kill(start.pid, 'SIGTERM'), 0, 'ending (SIGTERM)'],
    ['SIGKILL to npm', (start) => process.kill(start.pid, 'SIGKILL'), 'SIGKILL', ''],
    ['SIGTERM to hekate dev', (_start, pids) => process.kill(pids[1] ?? 0, 'SIGTERM'), 0, 'ending (SIGTERM)'],
    ['SIGKILL to hekate dev', (_start, pids) => process.kill(pids[1] ?? 0, 'SIGKILL'), 'SIGKILL', ''],
  ])('%s', async (_how, end, exit, says) => {
    const start = new Start(dir);
    await start.blocks(1);
    const pids = await start.everyPid();
    expect(start.heights()[0]).toBeGreaterThan(height);
    height = start.heights().at(-1) ?? 0;
    await end(start, pids);
    expect(await start.ended).toBe(exit);
    expect(start.stdout).toContain(says);
    await nothingOf(pids);
    expect((await statusOf(dir)).pid).toBeNull();
  });
});

describe('a second one', () => {
  it('of two at once, one runs, and the other says which', async () => {
    const dir = newFolder('dev');
    const starts = [new Start(dir), new Start(dir)];
    const ended = await Promise.race(starts.map((start) => start.ended.then((exit) => ({ start, exit }))));
    const other = starts.find((start) => start !== ended.start);
    await other?.blocks(1);
    const { pid } = await statusOf(dir);
    expect([ended.exit, ended.start.stdout]).toEqual([1, '']);
    expect(ended.start.stderr).toContain(`DEV_RUNNING: process ${pid} runs the cluster in ${join(dir, CHAIN)} already`);
  });

  it('with --fresh touches nothing of the first', async () => {
    const dir = newFolder('dev');
    const first = new Start(dir);
    await first.blocks(1);
    const before = readdirSync(dir, { recursive: true }).sort();
    const second = new Start(dir, ['--fresh']);
    expect(await second.ended).toBe(1);
    expect(second.stderr).toMatch(/^DEV_RUNNING: /);
    expect(readdirSync(dir, { recursive: true }).sort()).toEqual(before);
    await first.blocks(1);
  });
});

describe('--blocks', () => {
  it('makes that many; with --json, standard output is the summary alone', async () => {
    const dir = newFolder('dev');
    for (const [run, blocks] of [3, 2].entries()) {
      const start = new Start(dir, ['--blocks', String(blocks), '--json']);
      expect(await start.ended).toBe(0);
      expect(start.stdout.split('\n')).toHaveLength(2);
      expect(JSON.parse(start.stdout)).toMatchObject({ blocks, signatures: 3 * blocks, missed: 0 });
      expect(start.stderr).toMatch(/^signed Precommit/m);
      const made = JSON.parse(readFileSync(join(dir, CHAIN, 'model-node.json'), 'utf8')) as { height: string };
      expect(made.height).toBe(run === 0 ? '3' : '5');
    }
  });
});

describe('what it cannot start', () => {
  let made: string;
  beforeAll(async () => {
    made = newFolder('dev');
    expect((await runHekate(['dev', '--dir', made, '--blocks', '1'], 60_000)).code).toBe(0);
  });

  it.each<[what: string, prepare: (dir: string) => unknown, code: number, line: RegExp]>([
    [
      'the port of the model node is taken',
      async (dir) => {
        const { node } = JSON.parse(readFileSync(join(dir, 'dev.json'), 'utf8')) as { node: string };
        const server = createServer();
        cleanup.add(() => server.close());
        await new Promise<void>((resolve) => server.listen(Number(node.split(':').at(-1)), '127.0.0.1', resolve));
      },
      1,
      /^PORT_IN_USE: another process listens on tcp:\/\/127\.0\.0\.1:\d+, where the model node of \S+ belongs\. Fix: [^\n]+\n$/,
    ],
    [
      'a share is missing',
      (dir) => rmSync(join(dir, 'cosigner-2', 'chains', CHAIN, 'share.key')),
      1,
      /^DEV_PROCESS_FAILED: \S+cosigner-2 was started several times and never got ready: SHARE_MISSING: [^\n]+\n$/,
    ],
    [
      'a configuration is missing',
      (dir) => rmSync(join(dir, 'sentry-link-1', 'sentry-link.toml')),
      1,
      /^DEV_PROCESS_FAILED: \S+sentry-link-1 was started several times and never got ready: NO_HOME: [^\n]+\n$/,
    ],
    [
      'a folder is in the place of the height',
      (dir) => (
        rmSync(join(dir, 'model-node.json')),
        cpSync(join(dir, 'cosigner-1'), join(dir, 'model-node.json'), { recursive: true })
      ),
      1,
      /^MODEL_STATE_INVALID: [^\n]+\n$/,
    ],
  ])('%s: one line says why, and nothing is left', async (_what, prepare, code, line) => {
    const dir = newFolder('dev');
    cpSync(made, dir, { recursive: true });
    await prepare(join(dir, CHAIN));
    const run = await runHekate(['dev', '--dir', dir], 60_000);
    expect(run.stderr).toMatch(line);
    expect(run.code).toBe(code);
    const status = await statusOf(dir).catch(() => undefined);
    expect(status?.processes.filter(({ running }) => running) ?? []).toEqual([]);
    expect(existsSync(`${join(dir, CHAIN)}.making.json`)).toBe(false);
  });
});
