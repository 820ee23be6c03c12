import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { OldSigner } from '../old-signer.js';
import { readTmkms, type TmkmsRequest } from './tmkms-signer.js';

const group = await loadGroup();
const SEED = Buffer.from(keys.privValidatorKey.priv_key.value, 'base64').subarray(0, 32).toString('base64');
const STATE = JSON.stringify({ height: '50', round: '0', step: 2, block_id: null });
const CHAIN =
  '[[chain]]\nid = "one"\nkey_format = { type = "bech32", account_key_prefix = "kirapub", consensus_key_prefix = "kiravalconspub" }\n';
const KEY = '[[providers.softsign]]\nchain_ids = ["one"]\npath = "secrets/one.key"\n';
const NODE = '[[validator]]\nchain_id = "one"\naddr = "tcp://127.0.0.1:26659"\nsecret_key = "secrets/id.key"\n';
const CONFIG = CHAIN + KEY + NODE;
const SECOND = CONFIG.replaceAll('one', 'two').replace('tcp://127.0.0.1:26659', 'unix:///run/two.sock');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-tmkms-'));
  mkdirSync(join(dir, 'secrets'));
  for (const chain of ['one', 'two']) {
    write(`secrets/${chain}.key`, SEED);
    write(`${chain}_priv_validator_state.json`, STATE);
  }
  write('secrets/id.key', Buffer.alloc(32, 9).toString('base64'));
  write('secrets/id2.key', Buffer.alloc(32, 8).toString('base64'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, contents: string): void {
  writeFileSync(join(dir, name), contents, { mode: 0o600 });
}

function read(toml: string, change: Partial<TmkmsRequest> = {}): Promise<OldSigner> {
  write('tmkms.toml', toml);
  const config = join(dir, 'tmkms.toml');
  return readTmkms(group, {
    config,
    chainIds: undefined,
    validators: [],
    keepIdentity: false,
    startedIn: dir,
    ...change,
  });
}

async function refusal(toml: string, change: Partial<TmkmsRequest> = {}): Promise<string> {
  try {
    await read(toml, change);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

it('key, state, nodes and prefix of a chain', async () => {
  const { chains, traces, identitySeed, notes } = await read(CONFIG);
  expect(chains).toHaveLength(1);
  const [chain] = chains;
  expect(chain).toMatchObject({ chainId: 'one', nodes: ['tcp://127.0.0.1:26659'], bech32Prefix: 'kira', notes: [] });
  expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
  expect(describePlace(chain!.state!.found.watermark)).toBe('height 50, round 0, precommit');
  expect(traces.program).toEqual({ name: 'tmkms', config: join(dir, 'tmkms.toml') });
  expect(traces.files).toEqual([join(dir, 'secrets/one.key'), join(dir, 'one_priv_validator_state.json')]);
  expect(identitySeed).toBeUndefined();
  expect(notes).toEqual([]);
});

it('several chains, or those that were chosen', async () => {
  const all = await read(CONFIG + SECOND);
  expect(all.chains.map(({ chainId, nodes }) => [chainId, ...nodes])).toEqual([
    ['one', 'tcp://127.0.0.1:26659'],
    ['two', 'unix:///run/two.sock'],
  ]);
  const chosen = await read(CONFIG + SECOND, { chainIds: ['two'] });
  expect(chosen.chains.map(({ chainId }) => chainId)).toEqual(['two']);
});

it('several nodes of one chain, each once, and their ids left out', async () => {
  const id = 'ab'.repeat(20);
  const more =
    NODE.replace('127.0.0.1', `${id}@10.0.0.5`) +
    NODE.replace('127.0.0.1', '10.0.0.5') +
    NODE.replace('tcp://127', '127');
  const [chain] = (await read(CONFIG + more)).chains;
  expect(chain!.nodes).toEqual(['tcp://127.0.0.1:26659', 'tcp://10.0.0.5:26659']);
  expect(chain!.notes).toEqual([expect.stringContaining(`the id ${id} is left out`)]);
});

it.each<[string, string, string]>([
  ['max_height', CONFIG + 'max_height = "500"\n', 'max_height "500" is not taken over'],
  [
    'a hook',
    CONFIG.replace('id = "one"\n', 'id = "one"\nstate_hook = { cmd = ["x"], fail_closed = true }\n'),
    'state_hook is not taken over',
  ],
  [
    'extensions',
    CONFIG.replace('id = "one"\n', 'id = "one"\nsign_extensions = true\n'),
    'sign_extensions needs no setting',
  ],
  [
    'a state that is not there',
    CONFIG.replace('id = "one"\n', 'id = "one"\nstate_file = "gone.json"\n'),
    'its state file gone.json is not there',
  ],
])('says what comes of %s', async (_name, toml, note) => {
  expect((await read(toml)).chains[0]!.notes.join('\n')).toContain(note);
});

it('says that others may read the key, and that transactions are signed no more', async () => {
  chmodSync(join(dir, 'secrets/one.key'), 0o644);
  const { chains, notes } = await read(`${CONFIG}[[tx_signer]]\nchain_id = "one"\n`);
  expect(chains[0]!.notes).toEqual([expect.stringContaining('if others could have read it')]);
  expect(notes).toEqual([expect.stringContaining('[[tx_signer]] is not taken over')]);
});

it.each<[string, string, string]>([
  ['base64', 'base64', SEED],
  ['json', 'json', JSON.stringify(keys.privValidatorKey)],
])('key_format %s', async (_name, format, contents) => {
  write('secrets/one.key', contents);
  const [chain] = (await read(`${CONFIG.replace(KEY, `${KEY}key_format = "${format}"\n`)}`)).chains;
  expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
});

it.each<[string, string]>([
  ['hex', '{ type = "hex" }'],
  ['cosmos-json', '{ type = "cosmos-json" }'],
])('a chain whose keys are shown as %s', async (_name, format) => {
  const [chain] = (await read(CONFIG.replace(/\{ type = "bech32"[^}]*\}/, format))).chains;
  expect(chain!.bech32Prefix).toBeUndefined();
});

it('the identity is taken over when asked for', async () => {
  const { identitySeed } = await read(CONFIG + NODE.replace('26659', '26660'), { keepIdentity: true });
  expect(identitySeed).toEqual(new Uint8Array(32).fill(9));
});

it('relative paths begin in the folder of the start, or in that of the configuration', async () => {
  const [chain] = (await read(CONFIG, { startedIn: '/' })).chains;
  expect(chain!.state).toBeDefined();
});

it.each<[string, string, Partial<TmkmsRequest>, string]>([
  ['not TOML', `${CONFIG}[[`, {}, 'OLD_CONFIG_INVALID'],
  ['an unknown key', CONFIG.replace('path =', 'pfad ='), {}, 'tmkms.toml:6:1: unknown key "pfad"'],
  ['a chain twice', CHAIN + CONFIG, {}, 'chain "one" is there twice'],
  ['a node of no chain', CONFIG + NODE.replace('"one"', '"six"'), {}, 'no [[chain]] section has the id "six"'],
  ['an address that is none', CONFIG.replace('127.0.0.1:26659', '127.0.0.1'), {}, 'is not the address of a node'],
  ['an abstract socket', CONFIG.replace('tcp://127.0.0.1:26659', 'unix://@name'), {}, 'must begin with a slash'],
  ['no chain', '[providers]\n', {}, 'has no [[chain]] section'],
  ['no providers', CHAIN, {}, '"providers" is missing'],
  ['no key of the chain', CHAIN + NODE + '[providers]\n', {}, 'has no key for one'],
  ['two keys of the chain', CONFIG + KEY, {}, 'has 2 consensus keys for one'],
  ['an account key alone', CONFIG.replace(KEY, `${KEY}key_type = "account"\n`), {}, 'KEY_TYPE_UNSUPPORTED'],
  [
    'a key that is not there',
    CONFIG.replace('one.key', 'gone.key'),
    {},
    'KEY_INVALID: secrets/gone.key, the key of one, is not there',
  ],
  ['a chain that is not there', CONFIG, { chainIds: ['six'] }, 'USAGE:'],
  [
    'two identities',
    CONFIG + NODE.replace('id.key', 'id2.key'),
    { keepIdentity: true },
    'IDENTITY_INVALID: the identity of TMKMS cannot be taken over: its validators have 2',
  ],
  ['no identity', CONFIG.replace(/secret_key.*\n/, ''), { keepIdentity: true }, 'it names no secret_key'],
  [
    'an identity that is not there',
    CONFIG.replace('id.key', 'gone.key'),
    { keepIdentity: true },
    'secrets/gone.key is not there',
  ],
  [
    'an identity that is none',
    CONFIG.replace('id.key', '../tmkms.toml'),
    { keepIdentity: true },
    'is not 32 bytes in base64',
  ],
  [
    'a YubiHSM',
    CHAIN + NODE + '[[providers.yubihsm]]\nadapter = { type = "usb" }\nkeys = [{ chain_ids = ["one"], key = 1 }]\n',
    {},
    'KEY_CANNOT_LEAVE: the key of one is in a YubiHSM 2',
  ],
  [
    'a Ledger',
    CHAIN + NODE + '[[providers.ledgertm]]\nchain_ids = ["one"]\n',
    {},
    'KEY_CANNOT_LEAVE: the key of one is in a Ledger',
  ],
  [
    'Fortanix',
    CHAIN + NODE + '[[providers.fortanixdsm]]\nsigning_keys = [{ chain_ids = ["one"], type = "consensus" }]\n',
    {},
    'KEY_CANNOT_LEAVE: the key of one is in Fortanix DSM',
  ],
])('refuses %s', async (_name, toml, change, problem) => {
  expect(await refusal(toml, change)).toContain(problem);
});

it('chains whose keys are in a device can be left where they are', async () => {
  const device = '[[providers.ledgertm]]\nchain_ids = ["two"]\n';
  const toml = CONFIG + CHAIN.replaceAll('"one"', '"two"') + device;
  expect(await refusal(toml)).toContain('KEY_CANNOT_LEAVE');
  expect((await read(toml, { chainIds: ['one'] })).chains).toHaveLength(1);
});

it('a path that could be two files is refused', async () => {
  mkdirSync(join(dir, 'elsewhere/secrets'), { recursive: true });
  write('elsewhere/secrets/one.key', SEED);
  expect(await refusal(CONFIG, { startedIn: join(dir, 'elsewhere') })).toMatch(
    /^OLD_CONFIG_INVALID: secrets\/one.key could be .*elsewhere/,
  );
});

it.each<[string, string, string]>([
  ['encrypted', 'age-encryption.org/v1\n', 'is encrypted with age'],
  ['empty', '', 'it is not padded base64'],
])('refuses a key file that is %s', async (_name, contents, problem) => {
  write('secrets/one.key', contents);
  expect(await refusal(CONFIG)).toContain(problem);
});

it('refuses a state file that is damaged', async () => {
  write('one_priv_validator_state.json', STATE.slice(0, 20));
  expect(await refusal(CONFIG)).toContain('STATE_IMPORT_INVALID: not a usable state file of TMKMS: it is not JSON');
});

it('a configuration that is not there', async () => {
  const request = {
    config: join(dir, 'gone.toml'),
    chainIds: undefined,
    validators: [],
    keepIdentity: false,
    startedIn: dir,
  };
  await expect(readTmkms(group, request)).rejects.toMatchObject({ code: 'OLD_CONFIG_INVALID' });
});
