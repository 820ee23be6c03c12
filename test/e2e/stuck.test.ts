import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterAll, cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateCluster, type HekateProcess } from '../support/hekate-cluster.js';
import { parseEvent, readEvents, type LogEvent } from '../support/log-events.js';
import { guardAgainstOrphan } from '../support/orphan-guard.js';
import { TestProcess } from '../support/processes.js';
import { HEKATE_MAIN, PROJECT_ROOT, TestFolder } from '../support/project.js';
import { fillDisk, needsMount } from '../support/tmpfs.js';
import { writeValidatorKey } from '../support/validator-key.js';

// What freezes, hangs or does not read holds no signature up: docs/failover.md, "Frozen, slow, stuck".
const cleanup = cleanupAfterEach();
const DROPPED = 'log lines were dropped';

/** Every line of a log; throws for one that is none, as a torn one. */
function wholeLines(logFile: string): LogEvent[] {
  const lines = readFileSync(logFile, 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => must(parseEvent(line), `a whole line: ${line}`));
}

const count = (events: readonly LogEvent[], begins: string): number =>
  events.filter(({ event }) => event.startsWith(begins)).length;

const tomlOf = ({ home }: { readonly home: string }): string =>
  join(home, home.includes('cosigner-') ? 'cosigner.toml' : 'sentry-link.toml');

function setLevel(process: { readonly home: string }, level: string): void {
  const file = tomlOf(process);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^level = "\w+"/m, `level = "${level}"`));
}

describe('a log that nobody reads', () => {
  it('be it a pipe or a socket: a link and a cosigner go on for 2,100 votes, and say later what is missing', async () => {
    const fifo = (name: string): boolean => name !== 'cosigner-1';
    const at = await AskedCluster.start(cleanup, { name: 'unread', links: 1, fifo });
    const link = must(at.cluster.links[0], 'a link');
    const [first, second, third] = at.cluster.cosigners as [HekateProcess, HekateProcess, HekateProcess];
    await third.crash();
    await at.signedAtLast({ step: 'Prevote', height: 1n });
    for (const process of [link, first, second]) process.pauseOutput();
    // A cosigner has nothing to say of a vote; of connections that come to nothing it has, at this level.
    setLevel(first, 'debug');
    process.kill(first.pid, 'SIGHUP');
    const port = must(at.cluster.ports[0], 'a port');
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 80 }, () => knock(port)));
    for (let height = 2n; height < 1_052n; height++)
      for (const step of ['Prevote', 'Precommit'] as const) await at.signed({ step, height });
    expect(at.node.dropped).toBe(0);
    for (const process of [link, first, second]) process.resumeOutput();
    const missing = (process: HekateProcess): number =>
      process.events().reduce((sum, { event, count: lines }) => sum + (event === DROPPED ? Number(lines) : 0), 0);
    for (const process of [link, first])
      await eventually(`${process.name} says what is missing`, 10_000, () => missing(process) > 0 || undefined);
    expect(missing(second)).toBe(0);
    await at.signed({ step: 'Prevote', height: 1_052n });
    await eventually('the link logs again', 10_000, () => {
      const last = link.events().findLast(({ event }) => event.startsWith('signed '));
      return last?.event.includes(' 1052/0/') === true ? true : undefined;
    });
    const written = count(wholeLines(link.logFile), 'signed ');
    expect(written + missing(link)).toBeGreaterThanOrEqual(2_102);
    expect(link.events().filter(({ level }) => level === 'error')).toEqual([]);
    expect(await Promise.all([link.stop(), first.stop()])).toEqual([0, 0]);
  });

  it('on a full disk: votes are signed, and the log goes on, each line whole, once there is room', async (context) => {
    const folder = new TestFolder('full-log');
    cleanup.add(() => folder.remove());
    needsMount(context, folder.path);
    const logs = folder.file('logs');
    mkdirSync(logs);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', logs]);
    cleanup.add(() => execFileSync('umount', ['--lazy', logs]));
    const at = await AskedCluster.start(cleanup, { name: 'full-log', links: 1, unwatched: true, logs });
    const link = must(at.cluster.links[0], 'a link');
    const before = count(link.events(), 'signed ');
    fillDisk(logs);
    for (let height = 1n; height <= 60n; height++) await at.signed({ step: 'Prevote', height });
    expect(count(readEvents(link.logFile), 'signed ')).toBeLessThan(before + 60);
    for (const file of readdirSync(logs).filter((name) => name.startsWith('fill-'))) rmSync(join(logs, file));
    await eventually('the log goes on', 10_000, () => count(link.events(), 'signed ') >= before + 60 || undefined);
    for (const { logFile } of at.cluster.processes) wholeLines(logFile);
    expect(await link.stop()).toBe(0);
    expect(wholeLines(link.logFile).at(-1)?.event).toBe('stopped');
  });

  it('in a file: a fault is the last thing in it', async () => {
    const folder = new TestFolder('fault');
    cleanup.add(() => folder.remove());
    const shared = (path: string): string => pathToFileURL(join(PROJECT_ROOT, 'dist', 'src', 'shared', path)).href;
    writeFileSync(
      folder.file('program.mjs'),
      `import { pinoLog } from '${shared('ports/pino-log.js')}';
       import { runInForeground } from '${shared('process/lifecycle.js')}';
       const log = pinoLog({ format: 'json', level: 'info' });
       await runInForeground(log, async () => {
         setInterval(() => log.info('turned'), 1);
         setTimeout(() => {
           log.info('about to fail');
           throw new Error('failed');
         }, 100);
       });`,
    );
    const args = [folder.file('program.mjs')];
    const logFile = folder.file('log');
    const started = new TestProcess({ name: 'fault', command: process.execPath, args, logFile, unwatched: true });
    expect((await started.exited).code).toBe(70);
    const [before, last] = wholeLines(logFile).slice(-2);
    expect([before?.event, last?.event, last?.['message']]).toEqual(['about to fail', 'fault', 'failed']);
  });

  const program = (streams: string): string => `
    import { writeFileSync } from 'node:fs';
    import { standardOutput, neverWaitForReaders } from '${streams}';
    neverWaitForReaders(() => undefined);
    for (let i = 0; i < 3000; i++) standardOutput().write(i + ' ' + 'x'.repeat(200) + '\\n');
    for (let i = 0; i < 3000; i++) console.error(i + ' ' + 'x'.repeat(200));
    setTimeout(() => {
      writeFileSync(process.argv[2], String(standardOutput().dropped > 0));
      if (process.argv[3] === 'exit') process.exit(7);
      process.exitCode = 7;
    }, 50);`;

  it.each<[how: string, output: 'socket' | 'pipe' | 'closed', end: string, dropped: string]>([
    ['a socket, and it ends', 'socket', 'end', 'true'],
    ['a socket, and it exits', 'socket', 'exit', 'true'],
    ['a pipe, and it ends', 'pipe', 'end', 'true'],
    ['a pipe, and it exits', 'pipe', 'exit', 'true'],
    ['closed', 'closed', 'end', 'false'],
  ])('%s: nobody holds the end of the program up', async (_how, output, end, dropped) => {
    const folder = new TestFolder('streams');
    cleanup.add(() => folder.remove());
    const [file, said, fifo] = ['program.mjs', 'said', 'fifo'].map((name) => folder.file(name)) as [
      string,
      string,
      string,
    ];
    const compiled = join(PROJECT_ROOT, 'dist', 'src', 'shared', 'ports', 'standard-streams.js');
    writeFileSync(file, program(pathToFileURL(compiled).href));
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    cleanup.add(() => closeSync(reader));
    const to = output === 'pipe' ? openSync(fifo, 'w') : 'pipe';
    const node = [process.execPath, file, said, end];
    const command = output === 'closed' ? ['sh', '-c', '"$@" >&- 2>&-', 'sh', ...node] : node;
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', to, to] });
    guardAgainstOrphan(child);
    for (const stream of [child.stdout, child.stderr]) stream?.pause();
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(7);
    expect(readFileSync(said, 'utf8')).toBe(dropped);
  });
});

/** A connection that comes to nothing. */
function knock(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end());
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => resolve());
  });
}

describe('SIGHUP', () => {
  it.each(['cosigner', 'sentry-link'] as const)(
    'a %s reads its log level again, and nothing else changes',
    async (role) => {
      const at = await AskedCluster.start(cleanup, { name: 'hup', links: 1 });
      const one = must(role === 'cosigner' ? at.cluster.cosigners[0] : at.cluster.links[0], 'a process');
      const file = tomlOf(one);
      const toml = readFileSync(file, 'utf8');
      const hup = async (text: string, event: string): Promise<LogEvent> => {
        writeFileSync(file, text);
        const before = count(one.events(), event);
        process.kill(one.pid, 'SIGHUP');
        return eventually(event, 10_000, () => one.events().filter((line) => line.event === event)[before]);
      };
      const level = (to: string): string => toml.replace(/^level = "\w+"/m, `level = "${to}"`);
      const READ = 'configuration read again';

      expect(await hup(level('debug'), READ)).toMatchObject({ before: 'info', logLevel: 'debug' });
      const broken = await hup(
        'version = 1\n[log]\nlevel = "loud"\n',
        'configuration not read again: everything stays as it is',
      );
      expect(broken).toMatchObject({ level: 'error', code: 'CONFIG_INVALID' });
      expect(broken['reason']).toContain(`${file}:3:`);
      expect(await hup(level('info'), READ)).toMatchObject({ before: 'debug', logLevel: 'info' });
      const rest = 'the configuration was changed beside the log level: that counts from the next start on';
      expect(count(one.events(), rest)).toBe(0);
      await hup(toml.replace(/^\[\[chain\]\]$/m, '[[chain]]\nbech32_prefix = "kira"'), rest);
      await hup(level('error'), READ);
      writeFileSync(file, toml);
      await at.signed({ step: 'Prevote', height: 1n });
      expect([at.node.dropped, count(one.events(), 'ready')]).toEqual([0, 1]);
      expect(await one.stop()).toBe(0);
      // Nothing below "error" is said.
      expect(count(one.events(), 'stopped')).toBe(0);
    },
  );
});

/** Homes that are started one by one, and no node. */
describe('one process', () => {
  const afterAll = cleanupAfterAll();
  let cluster: HekateCluster;
  let folder: TestFolder;
  beforeAll(async () => {
    folder = new TestFolder('stuck');
    afterAll.add(() => folder.remove());
    const { keyFile } = writeValidatorKey(folder.path);
    const nodeAddress = `unix://${folder.file('node.sock')}`;
    cluster = await HekateCluster.create({ folder: folder.path, chainId: 'stuck-1', nodeAddress, keyFile });
  });

  const launch = (
    name: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): TestProcess => {
    const role = name.replace(/-\d+$/, '');
    const home = join(cluster.folder, name);
    const started = new TestProcess({
      name,
      command: process.execPath,
      args: [HEKATE_MAIN, role, 'start', '--home', home, '--log-format', 'json', ...args],
      logFile: join(folder.path, `${name}-${cleanups++}.log`),
      env,
    });
    cleanup.add(() => {
      // A link that is stopped does not see that its watcher is gone.
      for (const pid of readies(started)) if (runs(pid)) process.kill(pid, 'SIGKILL');
      return started.crash();
    });
    return started;
  };
  let cleanups = 0;
  const said = ({ logFile }: TestProcess, event: string): Promise<LogEvent> =>
    eventually(event, 20_000, () => readEvents(logFile).find((one) => one.event === event));
  const readies = ({ logFile }: TestProcess): number[] =>
    readEvents(logFile)
      .filter(({ event }) => event === 'ready')
      .map(({ pid }) => Number(pid));
  const ended = (started: TestProcess): Promise<unknown> =>
    Promise.race([started.exited.then(({ code, signal }) => signal ?? code), delay(10_000, 'runs on')]);
  const gone = (pid: number): Promise<true> => eventually(`${pid} is gone`, 10_000, () => !runs(pid) || undefined);

  describe('of systemd', () => {
    /** A systemd-notify that writes down how it was called, and a way to its calls. */
    const fakeSystemd = (then: string): { env: Record<string, string>; calls: () => string[] } => {
      const bin = folder.file(`bin-${cleanups++}`);
      const calls = join(bin, 'calls');
      mkdirSync(bin);
      writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$*" >> ${calls}\n${then}\n`);
      chmodSync(join(bin, 'systemd-notify'), 0o755);
      return {
        env: { NOTIFY_SOCKET: '/run/none', PATH: `${bin}:${process.env['PATH'] ?? ''}` },
        calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : []),
      };
    };

    it.each<[name: string, env: Record<string, string>]>([
      ['cosigner-1', {}],
      ['cosigner-1', { WATCHDOG_USEC: '1000000' }],
      ['sentry-link-1', {}],
      ['sentry-link-1', { WATCHDOG_USEC: '1000000' }],
    ])('%s with %o: a systemd-notify that hangs holds neither its start nor its end up', async (name, more) => {
      const { env, calls } = fakeSystemd('exec sleep 600');
      const started = launch(name, [], { ...env, ...more });
      await said(started, 'ready');
      await eventually('it is called', 10_000, () => calls().length > 0 || undefined);
      started.kill('SIGTERM');
      expect(await ended(started)).toBe(0);
      expect(readEvents(started.logFile).at(-1)?.event).toBe('stopped');
      // The tool of this start is the only process that has this call.
      await eventually('the tool is gone', 10_000, () => !commands().some((one) => one === 'sleep 600') || undefined);
    });

    it.each(['cosigner-1', 'sentry-link-1'])('%s says WATCHDOG=1 for as long as its loop turns', async (name) => {
      const { env, calls } = fakeSystemd('exit 0');
      const started = launch(name, [], { ...env, WATCHDOG_USEC: '300000' });
      await eventually('three beats', 20_000, () => beats().length >= 3 || undefined);
      function beats(): string[] {
        return calls().filter((call) => call === 'WATCHDOG=1');
      }
      // Without a watcher: it is the process that was started.
      expect(calls()).toContain(`--ready --pid=${started.pid}`);
      expect(readies(started)).toEqual([started.pid]);
      process.kill(started.pid, 'SIGSTOP');
      await delay(300);
      const before = beats().length;
      await delay(600);
      expect(beats().length).toBe(before);
      process.kill(started.pid, 'SIGCONT');
      await eventually('it goes on', 20_000, () => beats().length > before || undefined);
      started.kill('SIGTERM');
      expect(await ended(started)).toBe(0);
    });

    it.each<[name: string, env: Record<string, string>]>([
      ['without a watchdog', {}],
      ["with another process's", { WATCHDOG_USEC: '300000', WATCHDOG_PID: '1' }],
    ])('%s, a link has its watcher, and that is the main process', async (_name, more) => {
      const { env, calls } = fakeSystemd('exit 0');
      const started = launch('sentry-link-1', [], { ...env, ...more });
      await eventually('it is called', 20_000, () => calls().length > 0 || undefined);
      expect(calls()).toEqual([`--ready --pid=${started.pid}`]);
      expect(readies(started)).not.toContain(started.pid);
    });
  });

  describe('a link and its watcher', () => {
    const start = async (): Promise<{ watcher: TestProcess; link: number }> => {
      const watcher = launch('sentry-link-1');
      await said(watcher, 'ready');
      const link = Number(readies(watcher)[0]);
      expect(link).not.toBe(watcher.pid);
      return { watcher, link };
    };
    const again = (watcher: TestProcess): Promise<number> =>
      eventually('it is started again', 20_000, () => readies(watcher)[1]);

    it('a link that stands still is killed and started again, and the log says so once', async () => {
      const { watcher, link } = await start();
      process.kill(link, 'SIGSTOP');
      const next = await again(watcher);
      expect(next).not.toBe(link);
      await gone(link);
      const told = readEvents(watcher.logFile).filter(({ code }) => code === 'LOOP_STOOD_STILL');
      expect(told).toMatchObject([{ level: 'error', process: 'sentry-link-1', pid: link }]);
      watcher.kill('SIGTERM');
      expect(await ended(watcher)).toBe(0);
      await gone(next);
    });

    it('both stopped for long, and continued: nobody is killed', async () => {
      const { watcher, link } = await start();
      process.kill(watcher.pid, 'SIGSTOP');
      process.kill(link, 'SIGSTOP');
      await delay(1_500);
      process.kill(watcher.pid, 'SIGCONT');
      process.kill(link, 'SIGCONT');
      await delay(1_500);
      expect([readies(watcher), runs(link)]).toEqual([[link], true]);
    });

    it('a watcher that is killed: the link ends in order', async () => {
      const { watcher, link } = await start();
      watcher.kill('SIGKILL');
      await gone(link);
      const last = await said(watcher, 'stopping');
      expect(last['reason']).toBe('parent is gone');
    });

    it.each<
      [what: string, end: (watcher: TestProcess, link: number) => unknown, exit: number | string, reason?: string]
    >([
      ['SIGTERM to the watcher', (watcher) => watcher.kill('SIGTERM'), 0, 'SIGTERM'],
      ['SIGINT to the watcher', (watcher) => watcher.kill('SIGINT'), 0, 'SIGINT'],
      [
        'SIGTERM to both, as systemd sends it',
        (watcher, link) => (watcher.kill('SIGTERM'), process.kill(link, 'SIGTERM')),
        0,
        'SIGTERM',
      ],
      ['SIGTERM to the link', (_watcher, link) => process.kill(link, 'SIGTERM'), 0, 'SIGTERM'],
      ['SIGKILL to the link', (_watcher, link) => process.kill(link, 'SIGKILL'), 'SIGKILL'],
      ['SIGSEGV to the link', (_watcher, link) => process.kill(link, 'SIGSEGV'), 'SIGSEGV'],
      [
        'SIGTERM twice while the link stands still',
        async (watcher, link) => {
          process.kill(link, 'SIGSTOP');
          watcher.kill('SIGTERM');
          await delay(100);
          watcher.kill('SIGTERM');
        },
        'SIGTERM',
      ],
      [
        'SIGTERM while the link stands still',
        (watcher, link) => (process.kill(link, 'SIGSTOP'), watcher.kill('SIGTERM')),
        'SIGKILL',
      ],
    ])('%s: it ends as the link does', async (_what, end, exit, reason) => {
      const { watcher, link } = await start();
      await end(watcher, link);
      expect(await ended(watcher)).toBe(exit);
      await gone(link);
      const events = readEvents(watcher.logFile);
      expect(events.find(({ event }) => event === 'stopping')?.['reason']).toBe(reason);
      if (exit === 0) expect(events.at(-1)?.event).toBe('stopped');
      expect(readies(watcher)).toEqual([link]);
    });

    it('SIGHUP to the watcher reaches the link', async () => {
      const { watcher, link } = await start();
      watcher.kill('SIGHUP');
      expect(await said(watcher, 'configuration read again')).toMatchObject({ logLevel: 'info' });
      expect([watcher.running, readies(watcher)]).toEqual([true, [link]]);
    });

    it('a link that cannot start: its error, its exit code', async () => {
      const { watcher } = await start();
      const second = launch('sentry-link-1');
      expect(await ended(second)).toBe(1);
      expect(readFileSync(second.logFile, 'utf8')).toMatch(/^HOME_LOCKED: .*\n$/);
      watcher.kill('SIGTERM');
      expect(await ended(watcher)).toBe(0);
      appendFileSync(join(cluster.folder, 'sentry-link-2', 'sentry-link.toml'), 'what = 1\n');
      const third = launch('sentry-link-2');
      expect(await ended(third)).toBe(2);
      expect(readFileSync(third.logFile, 'utf8')).toMatch(/^CONFIG_INVALID: .*\n$/);
    });
  });
});

it('a watched link that is stopped while it serves a node: the next one signs', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'watched', links: 1, watched: true });
  const link = must(at.cluster.links[0], 'a link');
  await at.signed({ step: 'Prevote', height: 1n });
  const before = link.loopPid;
  process.kill(before, 'SIGSTOP');
  await at.signedAtLast({ step: 'Prevote', height: 2n });
  expect(link.loopPid).not.toBe(before);
  expect(await link.stop()).toBe(0);
});

function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Command lines of all processes. */
function commands(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        return '';
      }
    });
}
