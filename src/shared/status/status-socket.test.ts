import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HekateError } from '../errors.js';
import { silentLog, type LogFields } from '../ports/log.js';
import { askProcess, readStatus } from './ask-process.js';
import { MAX_REQUEST_BYTES } from './conversation.js';
import { NO_PARAMS, processRequest, type ProcessRequests } from './process-requests.js';
import type { CosignerStatus } from './process-status.js';
import { MAX_CLIENTS, serveStatus, serveStatusIfPossible } from './status-socket.js';

const STATUS: CosignerStatus = {
  kind: 'cosigner',
  id: 1,
  version: '0',
  protocol: 2,
  features: [],
  node: process.version,
  pid: 1,
  uptimeSeconds: 2,
  term: 3,
  leader: null,
  links: [],
  peers: [],
  chains: [
    {
      chainId: 'test-1',
      height: '9007199254740993',
      round: 0,
      step: 3,
      place: 'height 9007199254740993, round 0, precommit',
      halted: null,
      waiting: null,
    },
  ],
  problems: [],
};
const status = processRequest(NO_PARAMS, () => STATUS);

describe('status socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hekate-status-'));
  const home = join(folder, 'home');
  const open: { close(): unknown }[] = [];
  beforeEach(() => void mkdirSync(home, { recursive: true }));
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['a short path', 'home'],
    ['a path longer than a socket address', 'x'.repeat(120)],
  ])('answers at %s, over a file that a dead process left', async (_name, child) => {
    const path = join(folder, child);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'status.sock'), '');
    const server = await serveStatus(path, { status });
    expect(await readStatus(path)).toEqual(STATUS);
    server.close();
    await expect(readStatus(path)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('is its owner\u2019s alone from the moment that it is there, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      open.push(await serveStatus(home, { status }));
      expect(process.umask()).toBe(0);
      // The mode that it was made with: nothing changes it afterwards.
      expect(statSync(join(home, 'status.sock')).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it.each<[name: string, prepare: (home: string) => void, reason: RegExp]>([
    [
      'something else is in its place',
      (at) => mkdirSync(join(at, 'status.sock', 'x'), { recursive: true }),
      /EADDRINUSE/,
    ],
    ['there is no folder', (at) => rmSync(at, { recursive: true }), /ENOENT|EACCES/],
  ])('cannot be made, for %s: one warning, and the process runs on', async (_name, prepare, reason) => {
    prepare(home);
    const events: string[] = [];
    const warn = (event: string, fields: LogFields = {}): void =>
      void events.push(`${event}; ${String(fields['code'])}; ${String(fields['reason'])}`);
    const close = await serveStatusIfPossible(home, { status }, { ...silentLog, warn });
    close();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/^no status can be asked for; STATUS_UNAVAILABLE; /);
    expect(events[0]).toMatch(reason);
  });

  it('is there: no warning', async () => {
    const warn = (event: string): void => expect.fail(event);
    const close = await serveStatusIfPossible(home, { status }, { ...silentLog, warn });
    expect(await readStatus(home)).toEqual(STATUS);
    close();
  });

  /** As a client that is not ours: what is sent, what comes back until the process ends the connection. */
  async function say(
    text: string | Uint8Array,
    half: 'closes its side' | 'stays' = 'closes its side',
  ): Promise<string> {
    const socket = connect({ path: join(home, 'status.sock'), allowHalfOpen: half === 'stays' });
    open.push({ close: () => socket.destroy() });
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    if (half === 'stays') socket.write(text);
    else socket.end(text);
    await new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject));
    socket.destroy();
    return Buffer.concat(parts).toString();
  }

  /** What was done, and whether more was under way at once. */
  let done: unknown[];
  let atOnce: number;
  const requests: ProcessRequests = {
    status,
    raise: processRequest(z.strictObject({ height: z.string().regex(/^\d+$/) }), async (params) => {
      atOnce++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      done.push(params.height, atOnce--);
      return { raised: params.height };
    }),
    refuse: processRequest(NO_PARAMS, () => {
      throw new HekateError('STATE_CLOSED', 'it is closed', { fix: 'open it' });
    }),
  };
  const serve = async (): Promise<void> => {
    [done, atOnce] = [[], 0];
    open.push(await serveStatus(home, requests));
  };
  const RAISE = '{"request":"raise","params":{"height":"7"}}';
  const RAISED = { answer: { raised: '7' } };
  const error = (code: string): unknown => ({ error: expect.objectContaining({ code }) as unknown });

  it.each<[name: string, sent: string | Uint8Array, answers: readonly unknown[]]>([
    ['the status', '{"request":"status"}\n', [{ answer: STATUS }]],
    ['with params', `${RAISE}\n`, [RAISED]],
    ['two in one piece, in order, one at a time', `${RAISE}\n{"request":"status"}\n`, [RAISED, { answer: STATUS }]],
    ['the last line without its end', `{"request":"status"}\n${RAISE}`, [{ answer: STATUS }, RAISED]],
    ['other fields, for later', '{"request":"status","id":3}\n', [{ answer: STATUS }]],
    [
      'what it refuses, in its own words',
      '{"request":"refuse"}\n',
      [{ error: { code: 'STATE_CLOSED', cause: 'it is closed', fix: 'open it' } }],
    ],
    ['no such request', '{"request":"stop"}\n', [error('COMMAND_UNKNOWN')]],
    ['the name of what every object has', '{"request":"constructor"}\n', [error('COMMAND_UNKNOWN')]],
    ['no params', '{"request":"raise"}\n', [error('COMMAND_INVALID')]],
    ['params of another type', '{"request":"raise","params":{"height":7}}\n', [error('COMMAND_INVALID')]],
    ['params that are no object', '{"request":"raise","params":7}\n', [error('COMMAND_INVALID')]],
    ['params too many', '{"request":"status","params":{"x":1}}\n', [error('COMMAND_INVALID')]],
    ['no JSON', 'status\n', [error('COMMAND_INVALID')]],
    ['JSON that is cut short', '{"request":"sta\n', [error('COMMAND_INVALID')]],
    ['no object', '[]\n', [error('COMMAND_INVALID')]],
    ['null', 'null\n', [error('COMMAND_INVALID')]],
    ['an empty line', '\n', [error('COMMAND_INVALID')]],
    ['no text', Uint8Array.of(0xff, 0xfe, 10), [error('COMMAND_INVALID')]],
    ['what follows is answered', `{}\n${RAISE}\n`, [error('COMMAND_INVALID'), RAISED]],
    ['a line as long as may be', `${RAISE.padEnd(MAX_REQUEST_BYTES)}\n`, [RAISED]],
    ['a line a byte too long', `${RAISE.padEnd(MAX_REQUEST_BYTES + 1)}\n`, [error('COMMAND_INVALID')]],
    [
      'a line of a megabyte, told once, and one behind it',
      `${RAISE.padEnd(1024 * 1024)}\n${RAISE}\n`,
      [error('COMMAND_INVALID'), RAISED],
    ],
  ])('answers a line with a line: %s', async (_name, sent, answers) => {
    await serve();
    const said = await say(sent);
    expect(said.endsWith('\n')).toBe(true);
    expect(
      said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(answers);
    // The process is still there.
    expect(await readStatus(home)).toEqual(STATUS);
  });

  it('does what one client asks one after the other', async () => {
    await serve();
    await say(`${RAISE}\n`.repeat(100));
    expect(done).toEqual(Array.from({ length: 100 }, () => ['7', 1]).flat());
  });

  it.each<[name: string, half: 'closes its side' | 'stays']>([
    ['waits, as the first release did', 'stays'],
    ['closes its side at once', 'closes its side'],
  ])('tells its bare status to a client that says nothing: %s', async (_name, half) => {
    await serve();
    expect(JSON.parse(await say('', half))).toEqual(STATUS);
  });

  it('gives up a client that does not end its line', async () => {
    await serve();
    expect(await say('{"request":', 'stays')).toBe('');
  });

  it('does no more for a client that does not take its answers', async () => {
    let times = 0;
    const large = processRequest(NO_PARAMS, () => ({ times: ++times, text: 'x'.repeat(1024 * 1024) }));
    open.push(await serveStatus(home, { status, large }));
    const socket = connect(join(home, 'status.sock')).pause();
    open.push({ close: () => socket.destroy() });
    socket.write('{"request":"large"}\n'.repeat(100));
    for (let n = 0; n < 20; n++) expect(await readStatus(home)).toEqual(STATUS);
    expect(times).toBe(1);
  });

  it('refuses more clients at once than it takes, and takes others when some have gone', async () => {
    await serve();
    const held: Socket[] = [];
    for (let n = 0; n < MAX_CLIENTS; n++) {
      const socket = connect(join(home, 'status.sock'));
      open.push({ close: () => socket.destroy() });
      held.push(socket);
      // It has been taken once it is answered.
      await new Promise((resolve) => socket.once('data', resolve).write('{"request":"status"}\n'));
    }
    await expect(askProcess(home, { request: 'status' })).rejects.toMatchObject({ code: 'BUSY' });
    held[0]?.end();
    await new Promise((resolve) => held[0]?.once('close', resolve));
    expect(await readStatus(home)).toEqual(STATUS);
  });

  it.each<[name: string, request: string, params: object, answer: unknown]>([
    ['an answer', 'raise', { height: '7' }, { raised: '7' }],
    ['a refusal, with its code', 'refuse', {}, { code: 'STATE_CLOSED', message: 'it is closed', fix: 'open it' }],
    ['a request that it does not know', 'stop', {}, { code: 'COMMAND_UNKNOWN' }],
  ])('asked by a command: %s', async (_name, request, params, answer) => {
    await serve();
    const heard = await askProcess(home, { request, params }).catch((thrown: unknown) => thrown);
    expect(heard).toMatchObject(answer as object);
  });

  /** A process that is not of this release. */
  async function serveRaw(onClient: (socket: Socket) => void): Promise<void> {
    const server: Server = createServer((socket) => {
      open.push({ close: () => socket.destroy() });
      onClient(socket);
    });
    open.push(server);
    await new Promise<void>((resolve) => server.listen(join(home, 'status.sock'), resolve));
  }

  it.each<[name: string, request: string, onClient: (socket: Socket) => void, heard: object]>([
    ['an older release is asked for its status', 'status', (socket) => socket.end(JSON.stringify(STATUS)), STATUS],
    [
      'an older release is asked for more',
      'raise',
      (socket) => socket.end(JSON.stringify(STATUS)),
      { code: 'COMMAND_UNKNOWN' },
    ],
    [
      'a newer release says a code that is not known here',
      'raise',
      (socket) => socket.end('{"error":{"code":"NEW_CODE","cause":"it is new","fix":"do this"}}\n'),
      { code: 'COMMAND_UNKNOWN', message: expect.stringContaining('NEW_CODE: it is new') as unknown, fix: 'do this' },
    ],
    ['one that hangs', 'status', () => undefined, { code: 'PROCESS_SILENT' }],
    ['one that ends the connection', 'status', (socket) => socket.destroy(), { code: 'NOT_RUNNING' }],
    ['something that says no JSON', 'status', (socket) => socket.end('hello\n'), { code: 'NOT_RUNNING' }],
  ])('other ends: %s', async (_name, request, onClient, heard) => {
    await serveRaw(onClient);
    const asked = request === 'status' ? readStatus(home) : askProcess(home, { request });
    expect(await asked.catch((thrown: unknown) => thrown)).toMatchObject(heard);
  });
});
