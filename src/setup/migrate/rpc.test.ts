import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { isHekateError } from '../../shared/errors.js';
import { connectRpc, httpGet, type ChainRpc } from './rpc.js';

const OURS = 'AB'.repeat(20);
const OTHER = 'CD'.repeat(20);
const STATUS = {
  node_info: { network: 'one', version: '0.37.2' },
  sync_info: { latest_block_height: '7', catching_up: false },
};
const signature = (flag: number, address: string): object => ({
  block_id_flag: flag,
  validator_address: address,
  signature: 'x',
});
const commit = (height: string, signatures: readonly object[] = []): object => ({
  signed_header: {
    header: { chain_id: 'one', height, time: '2026-11-28T18:38:14.853123456Z' },
    commit: { height, round: 0, signatures },
  },
});
const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: -1, result: value });
const answering = (text: string): ChainRpc => connectRpc('http://node:26657', async () => text);

it('status', async () => {
  expect(await answering(result(STATUS)).status()).toEqual({ network: 'one', height: 7n, catchingUp: false });
});

it('a commit has signatures for the block and for nil; absent ones have no address', async () => {
  const signatures = [signature(2, OURS.toLowerCase()), signature(3, OTHER), signature(1, '')];
  expect(await answering(result(commit('7', signatures))).commit(7n)).toEqual({
    ...{ chainId: 'one', height: 7n, timeMs: 1795891094853, signers: new Set([OURS, OTHER]) },
  });
});

it('a height that the node does not have', async () => {
  expect(await answering('{"jsonrpc":"2.0","id":-1,"error":{"code":-32603}}').commit(7n)).toBeUndefined();
});

it('validators, page by page', async () => {
  const pages: Record<string, object> = {
    '1': { validators: [{ address: OURS, voting_power: '10' }], total: '2' },
    '2': { validators: [{ address: OTHER, voting_power: '5' }], total: '2' },
  };
  const asked: string[] = [];
  const rpc = connectRpc('https://node/base/', async (url) => {
    asked.push(url);
    return result(pages[new URL(url).searchParams.get('page') ?? ''] ?? {});
  });
  expect((await rpc.validators()).powers).toEqual(
    new Map([
      [OURS, 10n],
      [OTHER, 5n],
    ]),
  );
  expect(asked[0]).toBe('https://node/base/validators?page=1&per_page=100');
});

it('a node that never comes to its last validator is left', async () => {
  const rpc = answering(result({ validators: [{ address: OURS, voting_power: '1' }], total: '9' }));
  await expect(rpc.validators()).rejects.toMatchObject({ code: 'RPC_INVALID' });
});

async function refusal(task: Promise<unknown>): Promise<string> {
  const error = await task.then(
    () => 'taken',
    (thrown: unknown) => thrown,
  );
  return isHekateError(error) ? error.toLine() : String(error);
}

it.each<[string, string, string]>([
  ['not JSON', '<html>', 'RPC_INVALID: http://node:26657: its answer is not JSON'],
  ['something else', '{"hello":1}', 'has neither a result nor an error'],
  ['an error', '{"error":{"code":1}}', 'it answers with an error'],
  ['no result', '{"result":5}', 'has neither a result nor an error'],
  ['half a result', result({ node_info: { network: 'one' } }), 'is not that of a CometBFT node, at "sync_info"'],
  [
    'a height that is none',
    result({ ...STATUS, sync_info: { latest_block_height: '-1', catching_up: false } }),
    '"sync_info.latest_block_height"',
  ],
  ['a chain id without end', result({ ...STATUS, node_info: { network: 'x'.repeat(1000) } }), '"node_info.network"'],
])('refuses a status that is %s', async (_name, text, problem) => {
  expect(await refusal(answering(text).status())).toContain(problem);
});

it.each<[string, object, string]>([
  ['another height', commit('8'), 'it was asked for height 7 and answered with 8'],
  ['a flag that is none', commit('7', [signature(9, OURS)]), 'is not that of a CometBFT node'],
  ['an address that is none', commit('7', [signature(2, 'zz')]), 'is not that of a CometBFT node'],
])('refuses a commit of %s', async (_name, value, problem) => {
  expect(await refusal(answering(result(value)).commit(7n))).toContain(problem);
});

it.each<[string, string]>([
  ['nothing', ''],
  ['a host alone', 'node'],
  ['another scheme', 'ftp://node'],
  ['a password', 'http://me:secret@node'],
])('refuses an address that is %s', (_name, url) => {
  expect(() => connectRpc(url)).toThrow('is not the RPC of a node');
});

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.closeAllConnections()));

async function serve(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('asks a server, also as a node writes its own address', async () => {
  const url = await serve((request, response) => response.end(request.url === '/status' ? result(STATUS) : ''));
  expect((await connectRpc(url.replace('http', 'tcp')).status()).height).toBe(7n);
});

it.each<[string, RequestListener, string]>([
  ['too much', (_request, response) => response.end('x'.repeat(101)), 'has more than 100 bytes'],
  ['nothing', (_request, response) => response.writeHead(502).end(), 'HTTP status 502, and no answer'],
  [
    'elsewhere',
    (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'fetch failed',
  ],
  ['too late', () => undefined, 'The operation was aborted due to timeout'],
  ['by the drop', (_request, response) => void response.write('x'), 'The operation was aborted due to timeout'],
])('a server that answers %s', async (_name, handle, problem) => {
  expect(await refusal(httpGet(await serve(handle), { maxBytes: 100, timeoutMs: 300 }))).toContain(problem);
});

it('one that is not there', async () => {
  const url = await serve(() => undefined);
  const [server] = servers;
  await new Promise((closed) => server!.close(closed));
  expect(await refusal(connectRpc(url).status())).toMatch(
    /^RPC_UNREACHABLE: http:.* did not answer: connect ECONNREFUSED/,
  );
});
