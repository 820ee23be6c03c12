import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { OldSigner } from '../old-signer.js';
import { readNebula, type NebulaRequest } from './nebula-signer.js';

const group = await loadGroup();
const HALVES = Buffer.from(keys.privValidatorKey.priv_key.value, 'base64');
const HEAD = `log_level = "info"
chain_id = "one"
version = "v0_38"
signing_mode = "native"
`;
const CONNECTIONS =
  '[[connections]]\nhost = "10.0.0.9"\nport = 26659\n[[connections]]\nhost = "node.example"\nport = 26659\n';
const RAFT = `[raft]
node_id = 1
bind_addr = "127.0.0.1:8080"
data_path = "./raft_data"
initial_state_path = "./initial_state.json"
[[raft.peers]]
id = 1
addr = "127.0.0.1:8080"
[[raft.peers]]
id = 2
addr = "127.0.0.1:8081"
`;
const NATIVE = '[signing.native]\nprivate_key_path = "./privkey"\nkey_type = "ed25519"\n';
const VAULT =
  '[signing.vault]\naddress = "https://v"\ntoken_file_path = "t"\ntransit_path = "transit"\nkey_name = "cosmos"\nskip_verify = false\n';
/** Up to 0.0.4, which has no `persist`. */
const RAFT_CONFIG = HEAD + CONNECTIONS + RAFT + NATIVE;
const LOCAL_CONFIG = `${HEAD}persist = "local"\n${CONNECTIONS}[local]\npath = "state.json"\n${NATIVE}`;
const state = (height: number, step: number | string = 2): string => JSON.stringify({ height, round: 0, step });
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-nebula-'));
  mkdirSync(join(dir, 'raft_data'));
  write('privkey', HALVES.toString('base64'));
  write('initial_state.json', state(1, 'Unknown'));
  write('state.json', state(50));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, contents: string): void {
  writeFileSync(join(dir, name), contents, { mode: 0o600 });
}

function read(toml: string, states: readonly string[] = []): Promise<OldSigner> {
  write('config.toml', toml);
  const request: NebulaRequest = {
    ...{ config: join(dir, 'config.toml'), startedIn: dir },
    states: states.map((name) => join(dir, name)),
  };
  return readNebula(group, request);
}

async function refusal(toml: string, states: readonly string[] = []): Promise<string> {
  try {
    await read(toml, states);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

describe('local mode', () => {
  it('has key, state and nodes', async () => {
    const { chains, traces, notes } = await read(LOCAL_CONFIG);
    const [chain] = chains;
    expect(chain).toMatchObject({
      ...{ chainId: 'one', nodes: ['tcp://10.0.0.9:26659', 'tcp://node.example:26659'], notes: [] },
    });
    expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
    expect(describePlace(chain!.state!.found.watermark)).toBe('height 50, round 0, precommit');
    expect(traces).toEqual({
      program: { name: 'nebula', config: join(dir, 'config.toml') },
      files: [join(dir, 'privkey'), join(dir, 'state.json')],
      folders: [],
    });
    expect(notes).toEqual([]);
  });

  it('a seed alone, and the highest of several states', async () => {
    write('privkey', `${HALVES.subarray(0, 32).toString('base64')}\n`);
    write('other.json', state(52, 'Proposal'));
    write('third.json', state(51, 'Precommit'));
    const [chain] = (await read(LOCAL_CONFIG, ['other.json', 'third.json'])).chains;
    expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
    expect(describePlace(chain!.state!.found.watermark)).toBe('height 52, round 0, proposal');
  });

  it.each<[string, () => void, string]>([
    ['no state', () => rmSync(join(dir, 'state.json')), 'its state file'],
    ['a key that others may read', () => chmodSync(join(dir, 'privkey'), 0o644), 'everybody may use it'],
  ])('says what is to be known of %s', async (_name, change, note) => {
    change();
    expect((await read(LOCAL_CONFIG)).chains[0]!.notes).toEqual([expect.stringContaining(note)]);
  });
});

describe('Raft mode', () => {
  it('keeps its place where hekate cannot read it, and says so', async () => {
    const { chains, notes, traces } = await read(RAFT_CONFIG);
    expect(chains[0]).toMatchObject({ state: undefined });
    expect(chains[0]!.notes).toEqual([
      expect.stringMatching(/RocksDB, .*raft_data, which hekate cannot read: give --rpc or --height/),
    ]);
    expect(notes).toEqual([expect.stringContaining('each of the 2 nodes of nebula has the whole key')]);
    expect(traces.folders).toEqual([join(dir, 'raft_data')]);
  });

  it('takes a place that was brought', async () => {
    const [chain] = (await read(RAFT_CONFIG, ['state.json'])).chains;
    expect(describePlace(chain!.state!.found.watermark)).toBe('height 50, round 0, precommit');
    expect(chain!.notes).toEqual([expect.stringContaining('is no older is not shown')]);
  });

  it('never takes the initial state for the last one, by no name', async () => {
    symlinkSync(join(dir, 'initial_state.json'), join(dir, 'link.json'));
    for (const name of ['initial_state.json', 'link.json'])
      expect(await refusal(RAFT_CONFIG, [name])).toContain('is the initial_state_path of nebula');
  });

  it('of after 0.0.4', async () => {
    expect((await read(RAFT_CONFIG.replace(CONNECTIONS, `persist = "raft"\n${CONNECTIONS}`))).chains).toHaveLength(1);
  });
});

it.each<[string, () => string, string, string]>([
  ['an unknown key', () => `x = 1\n${LOCAL_CONFIG}`, 'OLD_CONFIG_INVALID', ':1:1: unknown key "x"'],
  [
    'an unknown key within',
    () => LOCAL_CONFIG.replace('key_type', 'keytype'),
    'OLD_CONFIG_INVALID',
    'unknown key "keytype"',
  ],
  ['a configuration that is cut short', () => LOCAL_CONFIG.slice(0, 30), 'OLD_CONFIG_INVALID', 'not TOML'],
  ['no chain', () => LOCAL_CONFIG.replace('chain_id = "one"\n', ''), 'OLD_CONFIG_INVALID', '"chain_id" is missing'],
  [
    'a third way to keep its place',
    () => LOCAL_CONFIG.replace('"local"', '"etcd"'),
    'OLD_CONFIG_INVALID',
    'must be "raft" or "local"',
  ],
  [
    'no place to keep it',
    () => LOCAL_CONFIG.replace('[local]\npath = "state.json"\n', ''),
    'OLD_CONFIG_INVALID',
    'has no [local] section',
  ],
  ['no Raft', () => HEAD + CONNECTIONS + NATIVE, 'OLD_CONFIG_INVALID', 'has no [raft] section'],
  [
    'no key',
    () => LOCAL_CONFIG.replace(NATIVE, '[signing]\n'),
    'OLD_CONFIG_INVALID',
    'has no [signing.native] section',
  ],
  [
    'a host that is none',
    () => LOCAL_CONFIG.replace('node.example', 'no host'),
    'OLD_CONFIG_INVALID',
    '"no host" is not a host',
  ],
  ['port 0', () => LOCAL_CONFIG.replace('26659', '0'), 'OLD_CONFIG_INVALID', '"port" must be between 1 and 65535'],
  [
    'a key in Vault',
    () => LOCAL_CONFIG.replace('"native"', '"vault_transit"').replace(NATIVE, VAULT),
    'KEY_CANNOT_LEAVE',
    'the key "cosmos" is in Vault',
  ],
  [
    'a key in Vault, of the first releases',
    () => LOCAL_CONFIG.replace('"native"', '"vault"').replace(NATIVE, VAULT.replace('token_file_path', 'token')),
    'KEY_CANNOT_LEAVE',
    'the key "cosmos" is in Vault',
  ],
  ['a secp256k1 key', () => LOCAL_CONFIG.replace('ed25519', 'secp256k1'), 'KEY_TYPE_UNSUPPORTED', 'secp256k1'],
  ['a BLS key', () => LOCAL_CONFIG.replace('ed25519', 'bls12381'), 'KEY_TYPE_UNSUPPORTED', 'bls12381'],
  [
    'a key file that is not there',
    () => (rmSync(join(dir, 'privkey')), LOCAL_CONFIG),
    'KEY_INVALID',
    'nebula looks for relative paths',
  ],
  [
    'a key file in JSON',
    () => (write('privkey', JSON.stringify(keys.privValidatorKey)), LOCAL_CONFIG),
    'KEY_INVALID',
    'not padded base64',
  ],
  [
    'a key whose second half is of another, which nebula does not see',
    () => (
      write('privkey', Buffer.concat([HALVES.subarray(0, 32), Buffer.alloc(32, 1)]).toString('base64')),
      LOCAL_CONFIG
    ),
    'KEY_INVALID',
    'second half',
  ],
  [
    'a state that is cut short',
    () => (write('state.json', '{"height":'), LOCAL_CONFIG),
    'STATE_IMPORT_INVALID',
    'it is not JSON',
  ],
  [
    'a state of CometBFT',
    () => (write('state.json', '{"height":"5","round":0,"step":2}'), LOCAL_CONFIG),
    'STATE_IMPORT_INVALID',
    'its height is a string',
  ],
])('refuses %s', async (_name, toml, code, problem) => {
  const line = await refusal(toml());
  expect(line).toContain(`${code}: `);
  expect(line).toContain(problem);
  expect(line).not.toContain(HALVES.toString('base64').slice(0, 12));
});
