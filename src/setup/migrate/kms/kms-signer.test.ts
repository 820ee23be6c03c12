import { createPrivateKey, sign } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRECOMMIT, voteSignBytes } from '../../../../test/support/vote-bytes.js';
import { toBase64 } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { OldSigner } from '../old-signer.js';
import { readKms, type KmsRequest } from './kms-signer.js';

const group = await loadGroup();
const HALVES = Buffer.from(keys.privValidatorKey.priv_key.value, 'base64');
const NODE_KEY = nodeKey(7);
const YAML = `chains:
  - id: one
validators:
  - chain_id: one
    addr: tcp://127.0.0.1:26659
    identity_key: identity.json
keys:
  - chain_ids: [one]
    algorithm: ed25519
    key_file: priv_validator_key.json
`;
const SIGN_BYTES = voteSignBytes({
  ...{ type: PRECOMMIT, height: 105n, round: 0, blockId: undefined, chainId: 'one' },
  timestamp: { seconds: 1_700_000_000n, nanos: 5 },
});
const STATE = {
  ...{ height: '105', round: 0, step: 3, signature: signed(HALVES.subarray(0, 32), SIGN_BYTES) },
  signbytes: Buffer.from(SIGN_BYTES).toString('hex').toUpperCase(),
};
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hekate-kms-'));
  write('kms.yaml', YAML);
  write('priv_validator_key.json', JSON.stringify(keys.privValidatorKey));
  write('identity.json', NODE_KEY);
  write('state/one.json', JSON.stringify(STATE));
});
afterEach(() => rmSync(home, { recursive: true }));

/** node_key.json of a seed of equal bytes. */
function nodeKey(byte: number): string {
  const seed = Buffer.alloc(32, byte);
  const jwk = privateKey(seed).export({ format: 'jwk' });
  const value = Buffer.concat([seed, Buffer.from(jwk.x ?? '', 'base64url')]).toString('base64');
  return JSON.stringify({ priv_key: { type: 'tendermint/PrivKeyEd25519', value } });
}

function privateKey(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function signed(seed: Uint8Array, bytes: Uint8Array): string {
  return sign(null, bytes, privateKey(seed)).toString('base64');
}

function write(name: string, contents: string): void {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), contents, { mode: 0o600 });
}

function read(change: Partial<KmsRequest> = {}): Promise<OldSigner> {
  return readKms(group, { home, chainIds: undefined, keepIdentity: false, ...change });
}

async function refusal(change: Partial<KmsRequest> = {}): Promise<string> {
  try {
    await read(change);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

describe('a home of kms', () => {
  it('has key, state and nodes of a chain', async () => {
    const { chains, traces, identitySeed, notes } = await read();
    const [chain] = chains;
    expect(chain).toMatchObject({ chainId: 'one', nodes: ['tcp://127.0.0.1:26659'], notes: [] });
    expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
    expect(describePlace(chain!.state!.found.watermark)).toBe('height 105, round 0, precommit');
    expect(Buffer.from(chain!.state!.found.watermark.signBytes!.bytes)).toEqual(Buffer.from(SIGN_BYTES));
    expect(traces.program).toEqual({ name: 'kms', config: join(home, 'kms.yaml') });
    expect(traces.files).toEqual([join(home, 'priv_validator_key.json'), join(home, 'state/one.json')]);
    expect([identitySeed, notes]).toEqual([undefined, []]);
  });

  it.each<[string, string]>([
    ['base64 of seed and public key', HALVES.toString('base64')],
    ['base64 of the seed, of TMKMS', `${HALVES.subarray(0, 32).toString('base64')}\n`],
    ['the private key alone', JSON.stringify({ priv_key: keys.privValidatorKey.priv_key })],
    ['JSON after white space', `\n ${JSON.stringify(keys.privValidatorKey)}`],
    [
      'another address beside it, which kms does not look at',
      JSON.stringify({ ...keys.privValidatorKey, address: '00' }),
    ],
  ])('reads a key in %s', async (_name, contents) => {
    write('priv_validator_key.json', contents);
    expect(toBase64((await read()).chains[0]!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
  });

  it.each<[string, object, string]>([
    ['a floor, as `kms state init` writes it', { height: '90', round: 0, step: 3 }, 'height 90, round 0, precommit'],
    ['nothing', { height: '0', round: 0, step: 0 }, 'no height yet'],
    ['sign bytes without a signature', { ...STATE, signature: undefined }, 'height 105, round 0, precommit'],
  ])('reads a state with %s', async (_name, state, place) => {
    write('state/one.json', JSON.stringify(state));
    expect(describePlace((await read()).chains[0]!.state!.found.watermark)).toBe(place);
  });

  it('a state elsewhere, several nodes, several chains', async () => {
    write('elsewhere.json', JSON.stringify(STATE));
    write('state/two.json', JSON.stringify({ height: '7', round: 0, step: 1 }));
    write(
      'kms.yaml',
      YAML.replace('id: one', 'id: one\n    state_file: elsewhere.json\n  - id: two')
        .replace(
          'keys:',
          '  - {chain_id: two, addr: "10.0.0.2:1", identity_key: identity.json}\n  - {chain_id: one, addr: "10.0.0.1:1", identity_key: identity.json}\nkeys:',
        )
        .replace('[one]', '[one, two]'),
    );
    const all = await read();
    expect(all.chains.map(({ chainId, nodes, state }) => [chainId, nodes, state?.file])).toEqual([
      ['one', ['tcp://127.0.0.1:26659', 'tcp://10.0.0.1:1'], join(home, 'elsewhere.json')],
      ['two', ['tcp://10.0.0.2:1'], join(home, 'state/two.json')],
    ]);
    expect((await read({ chainIds: ['two'] })).chains.map(({ chainId }) => chainId)).toEqual(['two']);
  });

  it.each<[string, () => void, string]>([
    [
      'a node over noise',
      () => write('kms.yaml', YAML.replace('tcp://127', 'noise://12D3KooWabc@127')),
      'hekate does not speak noise',
    ],
    [
      'reconnect: false',
      () =>
        write(
          'kms.yaml',
          YAML.replace('identity_key: identity.json', 'identity_key: identity.json\n    reconnect: false'),
        ),
      'reconnect: false of tcp://127.0.0.1:26659',
    ],
    ['no state', () => rmSync(join(home, 'state/one.json')), 'state/one.json is not there'],
    [
      'a key that others may read',
      () => chmodSync(join(home, 'priv_validator_key.json'), 0o644),
      'everybody may use it',
    ],
  ])('says what is to be known of %s', async (_name, change, note) => {
    change();
    expect((await read()).chains[0]!.notes).toEqual([expect.stringContaining(note)]);
  });

  it('its gRPC service is not taken over', async () => {
    write(
      'kms.yaml',
      `${YAML}grpc:\n  listen: 0.0.0.0:9090\n  keys:\n    - {id: a, algorithm: secp256k1, key_file: k}\n`,
    );
    expect((await read()).notes).toEqual([expect.stringContaining('grpc is not taken over')]);
  });
});

describe('its identity', () => {
  it('is taken over where asked', async () => {
    expect((await read({ keepIdentity: true })).identitySeed).toEqual(new Uint8Array(32).fill(7));
  });

  it('may be in two files', async () => {
    write('again.json', NODE_KEY);
    write(
      'kms.yaml',
      YAML.replace('keys:', '  - {chain_id: one, addr: "10.0.0.1:1", identity_key: again.json}\nkeys:'),
    );
    expect((await read({ keepIdentity: true })).identitySeed).toEqual(new Uint8Array(32).fill(7));
  });

  it.each<[string, () => void, string]>([
    [
      'two',
      () => {
        write('other.json', nodeKey(8));
        write(
          'kms.yaml',
          YAML.replace('keys:', '  - {chain_id: one, addr: "10.0.0.1:1", identity_key: other.json}\nkeys:'),
        );
      },
      'its validators have 2 identities',
    ],
    ['none', () => rmSync(join(home, 'identity.json')), 'cannot be read'],
    ['half', () => write('identity.json', NODE_KEY.slice(0, 60)), 'it is not JSON'],
    ['another type', () => write('identity.json', NODE_KEY.replace('Ed25519', 'Secp256k1')), 'a secp256k1 key'],
    [
      'no validators',
      () => write('kms.yaml', YAML.replace(/validators:\n( {2}.*\n {4}.*\n {4}.*\n)/, '')),
      'names no validators',
    ],
  ])('is refused with %s', async (_name, change, problem) => {
    change();
    const line = await refusal({ keepIdentity: true });
    expect(line).toContain('IDENTITY_INVALID: ');
    expect(line).toContain(problem);
  });
});

const withKey = (key: string): string => YAML.replace(/keys:\n[\s\S]*$/, `keys:\n  - chain_ids: [one]\n${key}`);

it.each<[string, () => void, string, string]>([
  ['no configuration', () => rmSync(join(home, 'kms.yaml')), 'OLD_CONFIG_INVALID', 'cannot be read'],
  [
    'an unknown key, which kms passes over',
    () =>
      write(
        'kms.yaml',
        YAML.replace('identity_key: identity.json', 'identity_key: identity.json\n    reconect: false'),
      ),
    'OLD_CONFIG_INVALID',
    'kms.yaml:7:5: unknown key "reconect"',
  ],
  [
    'a chain twice',
    () => write('kms.yaml', YAML.replace('- id: one', '- id: one\n  - id: one')),
    'OLD_CONFIG_INVALID',
    'chain "one" is there twice',
  ],
  [
    'two chains with one state',
    () => write('kms.yaml', YAML.replace('- id: one', '- id: one\n  - id: two\n    state_file: state/one.json')),
    'OLD_CONFIG_INVALID',
    'chain two has the state file of chain one',
  ],
  [
    'a validator of no chain',
    () => write('kms.yaml', YAML.replace('chain_id: one', 'chain_id: on')),
    'OLD_CONFIG_INVALID',
    'no entry of "chains" has the id "on"',
  ],
  [
    'a key of no chain',
    () => write('kms.yaml', YAML.replace('[one]', '[one, two]')),
    'OLD_CONFIG_INVALID',
    'no entry of "chains" has the id "two"',
  ],
  ['no key', () => write('kms.yaml', YAML.replace(/keys:\n[\s\S]*$/, '')), 'OLD_CONFIG_INVALID', 'has 0 keys for one'],
  [
    'two keys',
    () => write('kms.yaml', `${YAML}  - {chain_ids: [one], algorithm: ed25519, key_file: b}\n`),
    'OLD_CONFIG_INVALID',
    'has 2 keys for one',
  ],
  [
    'a key without a file',
    () => write('kms.yaml', withKey('    algorithm: ed25519\n')),
    'OLD_CONFIG_INVALID',
    'names no key_file',
  ],
  [
    'a token',
    () =>
      write('kms.yaml', withKey('    backend: pkcs11\n    module: m.so\n    slot: 0\n    key_id: 01\n    pin: 1234\n')),
    'KEY_CANNOT_LEAVE',
    'a token behind PKCS #11',
  ],
  [
    'AWS',
    () => write('kms.yaml', withKey('    backend: awskms\n    algorithm: ed25519\n    key_id: alias/a\n')),
    'KEY_CANNOT_LEAVE',
    'AWS KMS',
  ],
  [
    'a fourth backend',
    () => write('kms.yaml', withKey('    backend: vault\n')),
    'OLD_CONFIG_INVALID',
    '"backend" must be file, pkcs11 or awskms',
  ],
  [
    'an ML-DSA key',
    () => write('kms.yaml', withKey('    algorithm: mldsa65\n    key_file: k\n')),
    'KEY_TYPE_UNSUPPORTED',
    'the algorithm "mldsa65"',
  ],
  [
    'a key file of another type',
    () =>
      write(
        'priv_validator_key.json',
        JSON.stringify(keys.privValidatorKey).replaceAll('PrivKeyEd25519', 'PrivKeySecp256k1eth'),
      ),
    'KEY_TYPE_UNSUPPORTED',
    'an Ethereum secp256k1 key',
  ],
  [
    'a key file that is not there',
    () => rmSync(join(home, 'priv_validator_key.json')),
    'KEY_INVALID',
    'cannot be read',
  ],
  [
    'a key file that is cut short',
    () => write('priv_validator_key.json', JSON.stringify(keys.privValidatorKey).slice(0, 150)),
    'KEY_INVALID',
    'it is not JSON',
  ],
  [
    'an encrypted key file',
    () => write('priv_validator_key.json', 'Salted__x'),
    'KEY_INVALID',
    'is encrypted with OpenSSL',
  ],
  [
    'halves that do not belong together, which kms does not see',
    () =>
      write('priv_validator_key.json', Buffer.concat([HALVES.subarray(0, 32), Buffer.alloc(32, 1)]).toString('base64')),
    'KEY_INVALID',
    'second half',
  ],
  [
    'a state {}, which kms takes for height 0',
    () => write('state/one.json', '{}'),
    'STATE_IMPORT_INVALID',
    'height is missing',
  ],
  ['an empty state', () => write('state/one.json', ''), 'STATE_IMPORT_INVALID', 'it is not JSON'],
  [
    'a state without a step',
    () => write('state/one.json', '{"height":"5","round":0}'),
    'STATE_IMPORT_INVALID',
    'step is missing',
  ],
  [
    'a step above 3',
    () => write('state/one.json', '{"height":"5","round":0,"step":4}'),
    'STATE_IMPORT_INVALID',
    'step 4',
  ],
  [
    'a height that is a number',
    () => write('state/one.json', '{"height":5,"round":0,"step":1}'),
    'STATE_IMPORT_INVALID',
    'height is not a string',
  ],
  [
    'a state of another place',
    () => write('state/one.json', JSON.stringify({ ...STATE, height: '106' })),
    'STATE_IMPORT_INVALID',
    'its signbytes say height 105',
  ],
  [
    'a state of another chain',
    () => {
      write('kms.yaml', YAML.replaceAll('one', 'two'));
      write('state/two.json', JSON.stringify(STATE));
    },
    'STATE_IMPORT_INVALID',
    'signbytes are for chain "one", not "two"',
  ],
  [
    'a state of another key',
    () => write('state/one.json', JSON.stringify({ ...STATE, signature: signed(Buffer.alloc(32, 1), SIGN_BYTES) })),
    'STATE_IMPORT_INVALID',
    'the state of another key',
  ],
])('refuses %s', async (_name, spoil, code, problem) => {
  spoil();
  const line = await refusal();
  expect(line).toContain(`${code}: `);
  expect(line).toContain(problem);
  expect(line).not.toContain(HALVES.toString('base64').slice(0, 12));
});

it('refuses a chain that it does not have', async () => {
  expect(await refusal({ chainIds: ['two'] })).toContain('has no chain "two". Fix: choose among one');
});
