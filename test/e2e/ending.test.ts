import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach, cleanupAfterAll } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateCluster } from '../support/hekate-cluster.js';
import { parseEvent, type LogEvent } from '../support/log-events.js';
import { guardAgainstOrphan } from '../support/orphan-guard.js';
import { HEKATE_MAIN, PROJECT_ROOT, TestFolder } from '../support/project.js';
import { writeValidatorKey } from '../support/validator-key.js';

const cleanup = cleanupAfterEach();

/** A process whose end is looked at; what has not ended after 10 s is killed and has no exit code. */
class Watched {
  readonly child: ChildProcess;
  readonly events: LogEvent[] = [];
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(args: readonly string[], ipc = false) {
    this.child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? ['ipc' as const] : [])],
    });
    guardAgainstOrphan(this.child);
    cleanup.add(() => this.child.kill('SIGKILL'));
    let text = '';
    this.child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const event = parseEvent(text.slice(0, end));
        text = text.slice(end + 1);
        if (event !== undefined) this.events.push(event);
      }
    });
    // 'close' is not told of a child whose channel we closed.
    const read = new Promise((resolve) => this.child.stdout?.once('end', resolve));
    const exited = new Promise<number | NodeJS.Signals | null>((resolve) =>
      this.child.once('exit', (code, signal) => resolve(code ?? signal)),
    );
    this.ended = read.then(() => exited);
  }

  says(event: string): Promise<LogEvent> {
    return eventually(event, 20_000, () => this.events.find((one) => one.event === event));
  }

  end(): Promise<number | NodeJS.Signals | 'runs on' | null> {
    return Promise.race([this.ended, delay(10_000, 'runs on' as const)]);
  }
}

describe('a process that is told to end', () => {
  const afterAll = cleanupAfterAll();
  let cluster: HekateCluster;
  beforeAll(async () => {
    const folder = new TestFolder('ending');
    afterAll.add(() => folder.remove());
    const { keyFile } = writeValidatorKey(folder.path);
    const nodeAddress = `unix://${folder.file('node.sock')}`;
    cluster = await HekateCluster.create({ folder: folder.path, chainId: 'ending-1', nodeAddress, keyFile });
  });

  const launch = (name: string, ipc = false): Watched => {
    const home = join(cluster.folder, name);
    const role = name.replace(/-\d+$/, '');
    return new Watched([HEKATE_MAIN, role, 'start', '--home', home, '--log-format', 'json'], ipc);
  };

  const signals = ['SIGTERM', 'SIGINT'] as const;
  it.each(['cosigner-1', 'sentry-link-1'].flatMap((name) => signals.map((signal) => [name, signal] as const)))(
    '%s, by %s, ends in order',
    async (name, signal) => {
      const watched = launch(name);
      await watched.says('ready');
      watched.child.kill(signal);
      expect(await watched.end()).toBe(0);
      expect((await watched.says('stopping'))['reason']).toBe(signal);
      expect(watched.events.at(-1)?.event).toBe('stopped');
    },
  );

  it.each<[how: string, end: (child: ChildProcess) => unknown, reason: string]>([
    ['a signal', (child) => child.kill('SIGTERM'), 'SIGTERM'],
    ['the end of that parent', (child) => child.disconnect(), 'parent is gone'],
  ])('with a channel to its parent: by %s', async (_how, end, reason) => {
    const watched = launch('cosigner-1', true);
    await watched.says('ready');
    end(watched.child);
    expect(await watched.end()).toBe(0);
    expect((await watched.says('stopping'))['reason']).toBe(reason);
  });

  it('without a status socket: it runs, says so, and ends', async () => {
    mkdirSync(join(cluster.folder, 'cosigner-2', 'status.sock', 'x'), { recursive: true });
    const watched = launch('cosigner-2');
    await watched.says('ready');
    const warnings = watched.events.filter(({ level }) => level === 'warn');
    expect(warnings.map((event) => event['code'])).toEqual(['STATUS_UNAVAILABLE']);
    watched.child.kill('SIGTERM');
    expect(await watched.end()).toBe(0);
  });

  it('while somebody asks for its status and does not go away', async () => {
    const watched = launch('cosigner-3');
    await watched.says('ready');
    const socket = await new Promise<Socket>((resolve) => {
      const opened = connect({ path: join(cluster.folder, 'cosigner-3', 'status.sock'), allowHalfOpen: true }, () =>
        resolve(opened),
      );
    });
    cleanup.add(() => socket.destroy());
    watched.child.kill('SIGTERM');
    expect(await watched.end()).toBe(0);
  });
});

describe('what is under way when a process is told to end', () => {
  it('is finished: a vote that waits for its quorum', async () => {
    const at = await AskedCluster.start(cleanup, { name: 'finish', links: 1 });
    await at.signed({ step: 'Prevote', height: 1n });
    const [link] = at.cluster.links;
    const [first, second] = at.cluster.cosigners;
    if (link === undefined || first === undefined || second === undefined) throw new Error('no cluster');
    await first.crash();
    process.kill(second.pid, 'SIGSTOP');
    const vote = at.ask({ step: 'Prevote', height: 2n });
    await delay(100);
    const stopped = link.stop();
    await delay(200);
    process.kill(second.pid, 'SIGCONT');
    expect(await vote).toMatchObject({ kind: 'signed' });
    expect(await stopped).toBe(0);
  });

  it('is given up where it cannot be finished: a vote that gets no quorum', async () => {
    const at = await AskedCluster.start(cleanup, { name: 'give-up', links: 1 });
    await at.signed({ step: 'Prevote', height: 1n });
    const [link] = at.cluster.links;
    const [first, second] = at.cluster.cosigners;
    await Promise.all([first?.crash(), second?.crash()]);
    const vote = at.ask({ step: 'Prevote', height: 2n }).catch(() => 'no answer');
    await delay(100);
    expect(await link?.stop()).toBe(0);
    expect(await vote).not.toMatchObject({ kind: 'signed' });
  });
});

/** A start of a test's own, with the real frame around it. */
describe('whatever a start does', () => {
  const compiled = (path: string): string => pathToFileURL(join(PROJECT_ROOT, 'dist', 'src', 'shared', path)).href;
  const program = (start: string): string => `
    import { createServer } from 'node:net';
    import { open } from 'node:fs';
    import { runInForeground } from '${compiled('process/lifecycle.js')}';
    import { pinoLog } from '${compiled('ports/pino-log.js')}';
    const log = pinoLog({ format: 'json', level: 'info' });
    const forever = new Promise(() => undefined);
    process.exitCode = await runInForeground(log, async (started) => {
      const server = createServer().listen(0, '127.0.0.1');
      started.add(() => server.close());
      ${start}
    }).catch((error) => {
      log.error(error.message);
      return 3;
    });
  `;
  const late = 'not everything could be ended in order';

  it.each<[does: string, start: string, told: string | undefined, end: number | string, last: string]>([
    ['it fails late', "throw new Error('failed')", undefined, 3, 'failed'],
    ['it has a fault later', "setImmediate(() => { throw new Error('torn') })", undefined, 70, 'fault'],
    ['it does not end, and is told to', "log.info('begun'); await forever", 'begun', 0, 'stopped'],
    ['it cannot be undone', "started.add(() => { throw new Error('torn') })", 'ready', 0, 'stopped'],
    ['undoing it does not end', 'started.add(() => forever)', 'ready', 'SIGKILL', late],
    ['a read hangs for good', 'open(process.argv[2], () => undefined)', 'ready', 'SIGKILL', late],
  ])('%s: the process ends', async (_does, start, told, end, last) => {
    const folder = new TestFolder('ending');
    cleanup.add(() => folder.remove());
    const file = folder.file('program.mjs');
    writeFileSync(file, program(start));
    // Whoever opens it waits for one who writes, in a thread that an exit would wait for.
    execFileSync('mkfifo', [folder.file('pipe')]);
    const watched = new Watched([file, folder.file('pipe')]);
    if (told !== undefined) {
      await watched.says(told);
      watched.child.kill('SIGTERM');
    }
    expect(await watched.end()).toBe(end);
    expect(watched.events.at(-1)?.event).toBe(last);
  });
});
