import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { readEvents, type LogEvent } from '../support/log-events.js';
import { NetworkNamespace } from '../support/network-namespace.js';
import { TestProcess, tailOf } from '../support/processes.js';
import { HEKATE_MAIN, PROJECT_ROOT, TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';

const CHAIN = 'six-1';
const NODE = 'tcp://[::1]:26659';
/** The IPv4 address of the second is not there. */
const HOSTS = '::1 six-only localhost\n127.0.0.1 of-both\n::1 of-both\n';
/** What this host gets only later. */
const LATE = 'fd00::7';
const MODEL_NODE = `
const { startModelNode } = await import(${JSON.stringify(pathToFileURL(`${PROJECT_ROOT}/dist/src/dev/model-node/start.js`).href)});
const listen = { transport: 'tcp', host: '::1', port: 26659 };
const block = (height) => console.log('block ' + height);
const running = await startModelNode({ chainId: '${CHAIN}', listen, blockMs: 100, events: { block } });
await running.node.run();
`;
const cleanup = cleanupAfterEach();

it('on a host with IPv6 alone, one address of it not there yet', async (context) => {
  const folder = new TestFolder('six');
  cleanup.add(() => folder.remove());
  writeFileSync(folder.file('hosts'), HOSTS);
  const net = await NetworkNamespace.create(context, folder.file('hosts'));
  cleanup.add(() => net.close());
  net.run('ip', 'link', 'set', 'lo', 'up');
  net.run('ip', 'address', 'del', '127.0.0.1/8', 'dev', 'lo');
  const cluster = folder.file('cluster');
  const cosigners = ['six-only:7001', 'of-both:7002', `[${LATE}]:7003`];
  const shape = ['--threshold', '2', '--links', '1', '--cosigner', ...cosigners, '--listen', ...cosigners];
  expect(await runHekate(['init', cluster, '--chain-id', CHAIN, '--node', NODE, ...shape])).toMatchObject({ code: 0 });

  const start = (name: string, ...args: readonly string[]): TestProcess => {
    const [command, ...rest] = net.command(process.execPath, ...args);
    const started = new TestProcess({ name, command, args: rest, logFile: folder.file(`${name}.log`) });
    cleanup.add(() => started.stop());
    cleanup.whenFailed(() => console.error(`--- ${name}\n${tailOf(folder.file(`${name}.log`), 15)}`));
    return started;
  };
  const serve = (role: string, name: string): TestProcess =>
    start(name, HEKATE_MAIN, role, 'start', '--home', `${cluster}/${name}`, '--log-format', 'json');
  const events = (name: string): LogEvent[] => readEvents(folder.file(`${name}.log`));

  const node = start('node', '--input-type=module', '--eval', MODEL_NODE);
  for (const id of [1, 2, 3]) serve('cosigner', `cosigner-${id}`);
  serve('sentry-link', 'sentry-link-1');
  const waiting = await eventually('the third waits for its address', 20_000, () =>
    events('cosigner-3').find(({ event }) => event === 'waiting for the address to listen on'),
  );
  expect(waiting).toMatchObject({ code: 'LISTEN_NOT_YET', address: `[${LATE}]:7003` });
  net.run('ip', '-6', 'address', 'add', `${LATE}/128`, 'dev', 'lo', 'nodad');
  await eventually('the late one is reached', 20_000, () =>
    events('sentry-link-1').find(({ event, cosigner }) => event === 'cosigner connected' && cosigner === 'cosigner-3'),
  );
  await node.waitForLine('ten blocks', (line) => line === 'block 10', 30_000);
});
