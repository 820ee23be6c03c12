import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hekate, type CliRun } from '../../test/support/cli-run.js';
import keys from '../shared/keys/testdata/keys.json' with { type: 'json' };

const { address } = keys.privValidatorKey;
const SEED = Buffer.from(keys.privValidatorKey.priv_key.value, 'base64').subarray(0, 32).toString('base64');
const COSIGNERS = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
const NODE = ['--node', 'tcp://10.0.0.5:26659'];
let dir: string;
let home: string;
let toml: string;
const servers: Server[] = [];
const inDir = (...parts: readonly string[]): string => join(dir, ...parts);
const write = (name: string, contents: string): void => writeFileSync(inDir(name), contents, { mode: 0o600 });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-migrate-'));
  home = inDir('home');
  toml = inDir('tmkms.toml');
  for (const folder of ['home/config', 'home/data', 'secrets']) mkdirSync(inDir(folder), { recursive: true });
  write('home/config/priv_validator_key.json', JSON.stringify(keys.privValidatorKey));
  write('home/data/priv_validator_state.json', JSON.stringify({ height: '50', round: 0, step: 3 }));
  for (const chain of ['one', 'two']) {
    write(`secrets/${chain}.key`, SEED);
    write(`${chain}_priv_validator_state.json`, JSON.stringify({ height: '50', round: '0', step: 2, block_id: null }));
  }
  write('secrets/id.key', Buffer.alloc(32, 9).toString('base64'));
  write('tmkms.toml', ['one', 'two'].map(sectionsOf).join(''));
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(dir, { recursive: true });
});

function sectionsOf(chain: string): string {
  return `[[chain]]
id = "${chain}"
key_format = { type = "hex" }
[[validator]]
chain_id = "${chain}"
addr = "tcp://10.0.0.5:${26659 + chain.charCodeAt(0)}"
secret_key = "secrets/id.key"
[[providers.softsign]]
chain_ids = ["${chain}"]
path = "secrets/${chain}.key"
`;
}

const file = (...args: readonly string[]): Promise<CliRun> =>
  hekate('migrate', 'file', '--chain-id', 'one', '--watch', '1', ...args);
const ofHome = (...args: readonly string[]): Promise<CliRun> => file('--home', home, ...NODE, ...args);
const tmkms = (...args: readonly string[]): Promise<CliRun> =>
  hekate('migrate', 'tmkms', '--config', toml, '--watch', '1', ...args);
const heightsIn = async (cluster: string): Promise<readonly string[]> => {
  const { out } = await hekate('state', 'show', inDir(cluster), '--json');
  return (JSON.parse(out) as { watermark: { place: string } }[]).map(({ watermark }) => watermark.place);
};

/** The RPC of a node whose chain makes a height each time it is asked how far it is. */
async function serve(
  change: { network?: string; signed?: boolean; moves?: boolean; height?: bigint; junk?: string } = {},
): Promise<string> {
  const { network = 'one', signed = false, moves = true, junk } = change;
  let height = change.height ?? 60n;
  const signer = { block_id_flag: 2, validator_address: signed ? address : 'AB'.repeat(20) };
  const server = createServer(({ url = '' }, response) => {
    const [path, query] = url.split('?');
    const at = new URLSearchParams(query).get('height') ?? '';
    const results: Record<string, () => object> = {
      '/status': () => ({
        node_info: { network },
        sync_info: { latest_block_height: String(moves ? ++height : height), catching_up: false },
      }),
      '/commit': () => ({
        signed_header: {
          header: {
            chain_id: network,
            height: at,
            time: `2026-01-01T00:00:${String(Number(at) % 60).padStart(2, '0')}.5Z`,
          },
          commit: { height: at, signatures: [signer] },
        },
      }),
      '/validators': () => ({ validators: [{ address, voting_power: '1' }], total: '1' }),
    };
    response.end(junk ?? JSON.stringify({ jsonrpc: '2.0', id: -1, result: results[path ?? '']?.() ?? {} }));
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a plan of a key file, and nothing written', async () => {
  const { code, out, err } = await ofHome();
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(`one: validator ${address}`);
  expect(out).toContain('signed last: height 50, round 0, precommit');
  expect(out).toContain('did not change for 1 s');
  expect(out).toContain('Could not be proved:\n  that the key of one signs nowhere else: no RPC of that chain');
  expect(out).toContain('the watermark of every cosigner refuses everything up to height 50, round 0, precommit, by');
  expect(out).toContain('Nothing was written. To write it, add --apply');
  expect(readdirSync(dir).sort()).toEqual([
    'home',
    'one_priv_validator_state.json',
    'secrets',
    'tmkms.toml',
    'two_priv_validator_state.json',
  ]);
});

test('a cluster of a key file, above the chain; how to go back, and what must be destroyed', async () => {
  const { code, out, err } = await ofHome('--rpc', await serve(), '--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('one has made 2 blocks to height 64 without a signature of this key');
  expect(out).toContain(`Written: one in ${inDir('made')}.`);
  expect(out).toContain('How to go back:');
  expect(out).toContain('{"height":"H","round":R,"step":S}');
  expect(out).toContain('What must be destroyed');
  expect(await heightsIn('made')).toEqual(Array(3).fill('all of height 64'));
  expect(
    (await hekate('keys', 'verify', inDir('made'), '--key', join(home, 'config/priv_validator_key.json'))).code,
  ).toBe(0);
});

test('both chains of TMKMS, with its identity, as JSON', async () => {
  const run = await tmkms('--json', '--apply', '--out', inDir('made'), '--keep-identity', ...COSIGNERS, '--links', '1');
  expect([run.code, run.err]).toEqual([0, '']);
  expect(JSON.parse(run.out)).toMatchObject({
    source: 'TMKMS',
    chains: [
      {
        chainId: 'one',
        validator: address,
        signedLast: { place: 'height 50, round 0, precommit' },
        start: { height: '50', by: inDir('one_priv_validator_state.json') },
      },
      { chainId: 'two', nodes: ['tcp://10.0.0.5:26775'] },
    ],
    refusals: [],
    canGoOn: true,
    target: { kind: 'new', dir: inDir('made') },
    written: ['one', 'two'],
  });
  expect(readFileSync(inDir('made/sentry-link-1/node-identity.key'), 'utf8')).toBe(`version 1\n${'09'.repeat(32)}\n`);
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
});

test('into a cluster; and twice is harmless', async () => {
  const out = ['--apply', '--out', inDir('made'), ...COSIGNERS];
  expect((await tmkms('--chain-id', 'one', ...out)).code).toBe(0);
  const again = await tmkms('--chain-id', 'one', ...out);
  expect(again).toMatchObject({
    code: 0,
    err: 'warning: nothing was written: one was there already, with the same key\n',
  });
  const into = await tmkms('--apply', '--into', inDir('made'));
  expect(into.code).toBe(0);
  expect(into.out).toContain(`Written: two in ${inDir('made')}.`);
  expect(into.out).toContain('There already, with the same key: one.');
  expect(await heightsIn('made')).toHaveLength(6);
});

test.each<[string, readonly string[], () => Promise<string> | string | undefined, string]>([
  ['its chain has new signatures', [], () => serve({ signed: true }), 'OLD_SIGNER_RUNS: http'],
  ['the RPC is of another chain', [], () => serve({ network: 'two' }), 'RPC_CHAIN_MISMATCH: http'],
  ['the RPC speaks of nothing', [], () => serve({ junk: '<html>' }), 'RPC_INVALID: http'],
  ['the RPC is not there', [], () => 'http://127.0.0.1:1', 'RPC_UNREACHABLE: http://127.0.0.1:1 did not answer'],
  ['the state is ahead of the chain', [], () => serve({ height: 10n, moves: false }), 'OLD_STATE_AHEAD'],
  ['the key is of another validator', ['--validator', 'AB'.repeat(20)], () => undefined, 'KEY_OF_ANOTHER_VALIDATOR'],
])('%s: the plan says so, nothing is written, exit 1', async (_name, more, rpcOf, problem) => {
  const rpc = await rpcOf();
  const asked = [...more, ...(rpc === undefined ? [] : ['--rpc', rpc])];
  const { code, out, err } = await ofHome(...asked, '--apply', '--out', inDir('made'), ...COSIGNERS);
  expect(code).toBe(1);
  expect(err).toContain(problem);
  expect(err).toContain('. Fix: ');
  expect(out).toContain('Cannot go on; nothing was written.');
  expect(existsSync(inDir('made'))).toBe(false);
});

test('a state file that goes on changing', async () => {
  let height = 50;
  const signs = setInterval(
    () => write('home/data/priv_validator_state.json', JSON.stringify({ height: String(++height), round: 0, step: 3 })),
    100,
  );
  const run = await ofHome('--i-stopped-it').finally(() => clearInterval(signs));
  expect(run.code).toBe(1);
  expect(run.err).toContain('OLD_SIGNER_RUNS');
  expect(run.err).toContain('changed while it was watched');
});

test('an old state, while the chain has signatures above it', async () => {
  const { code, err } = await ofHome('--rpc', await serve({ signed: true, moves: false }));
  expect(code).toBe(1);
  expect(err).toMatch(/^OLD_STATE_BEHIND: .* and http.* has a signature of it at height 60/m);
});

const alone = (...args: readonly string[]): Promise<CliRun> =>
  file('--key', join(home, 'config/priv_validator_key.json'), ...NODE, ...args);

test.each<[string, readonly string[], number, string]>([
  ['nothing to ask', [], 1, 'OLD_SIGNER_UNPROVEN'],
  ['a height alone', ['--height', '99'], 1, 'OLD_SIGNER_UNPROVEN'],
  ['a word alone', ['--i-stopped-it'], 1, 'WATERMARK_START_MISSING'],
  ['both', ['--i-stopped-it', '--height', '99'], 0, 'refuses all of height 99 and everything below, by --height'],
  [
    'a word, for a key that is new',
    ['--i-stopped-it', '--never-signed'],
    0,
    'refuses nothing: this key has never signed',
  ],
])('a key without its state: %s', async (_name, args, code, text) => {
  const run = await alone(...args);
  expect(run.code).toBe(code);
  expect(run.out + run.err).toContain(text);
});

test.each<[string, () => Promise<CliRun>, string]>([
  ['no place of the key', () => file(...NODE), 'it is not said where the key is'],
  ['two places of the key', () => ofHome('--key', 'x'), 'it is not said where the key is'],
  ['standard input', () => file('--key', '-', ...NODE), 'reads nothing from standard input'],
  ['no target', () => ofHome('--apply'), 'it is not said where to write'],
  ['two targets', () => ofHome('--out', 'x', '--into', 'y'), '--out and --into were both given'],
  [
    'a shape of what is there',
    () => ofHome('--into', 'y', '--threshold', '2'),
    'has its threshold, cosigners and links',
  ],
  ['an identity for what is there', () => tmkms('--into', 'y', '--keep-identity'), 'have their identities'],
  ['no cosigner', () => ofHome('--apply', '--out', 'x'), 'no cosigner was given'],
  ['no validator', () => ofHome('--validator', 'me'), 'is not the address of a validator'],
  ['no RPC', () => ofHome('--rpc', 'node'), 'is not the RPC of a node'],
  ['no chain of that configuration', () => tmkms('--chain-id', 'six'), 'has no chain "six"'],
  ['no time', () => ofHome('--watch', '0'), 'It is not a number of seconds'],
])('the command line names %s', async (_name, run, problem) => {
  const { code, err } = await run();
  expect([code, err.split(':')[0]]).toEqual([2, 'USAGE']);
  expect(err).toContain(problem);
});

test.each<[string, () => void, string]>([
  ['an unknown key', () => write('tmkms.toml', 'oops = 1\n'), 'OLD_CONFIG_INVALID'],
  [
    'a key in a device',
    () =>
      write(
        'tmkms.toml',
        '[[chain]]\nid = "one"\nkey_format = { type = "hex" }\n[[providers.ledgertm]]\nchain_ids = ["one"]\n',
      ),
    'KEY_CANNOT_LEAVE',
  ],
  ['a key that is cut short', () => write('secrets/one.key', SEED.slice(0, 20)), 'KEY_INVALID'],
  ['a state that is cut short', () => write('one_priv_validator_state.json', '{"hei'), 'STATE_IMPORT_INVALID'],
])('a TMKMS with %s', async (_name, spoil, problem) => {
  spoil();
  const { code, out, err } = await tmkms('--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`${problem}: `);
  expect(existsSync(inDir('made'))).toBe(false);
});

test('a cluster that was taken to its hosts is found by what is left', async () => {
  expect((await ofHome('--apply', '--out', inDir('made'), ...COSIGNERS)).code).toBe(0);
  cpSync(inDir('made'), inDir('kept'), { recursive: true });
  for (const id of [1, 2, 3]) rmSync(inDir('made', `cosigner-${id}`, 'state'), { recursive: true });
  write('home/data/priv_validator_state.json', JSON.stringify({ height: '51', round: 0, step: 3 }));
  expect((await ofHome('--apply', '--into', inDir('made'))).code).toBe(0);
  expect((await ofHome('--apply', '--into', inDir('kept'))).err).toMatch(/^WATERMARK_START_CONTRADICTED/);
});
