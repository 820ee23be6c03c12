import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toBase64 } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { describePlace } from '../../../shared/watermark/watermark.js';
import { filesOfHome, readFileSigner } from './file-signer.js';

const group = await loadGroup();
const KEY = JSON.stringify(keys.privValidatorKey);
const STATE = JSON.stringify({ height: '50', round: 1, step: 3 });
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-file-'));
  const { keyFile, stateFile } = filesOfHome(dir);
  for (const folder of [keyFile, stateFile]) mkdirSync(dirname(folder));
  write('config/priv_validator_key.json', KEY);
  write('data/priv_validator_state.json', STATE);
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, contents: string): void {
  writeFileSync(join(dir, name), contents, { mode: 0o600 });
}

it('key and state of a home', async () => {
  const { chains, traces } = await readFileSigner(group, { chainId: 'one', ...filesOfHome(dir) });
  const [chain] = chains;
  expect(toBase64(chain!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
  expect(group.baseMult(chain!.key.secret)).toEqual(chain!.key.publicKey);
  expect(describePlace(chain!.state!.found.watermark)).toBe('height 50, round 1, precommit');
  expect(chain).toMatchObject({ nodes: [], notes: [], lastSigned: undefined });
  expect(traces.folders).toEqual([join(dir, 'data')]);
});

it('a key alone, with what its own file says of its past', async () => {
  write('old.json', JSON.stringify({ ...keys.privValidatorKey, last_height: '7', last_round: '0', last_step: 3 }));
  const request = { chainId: 'one', keyFile: join(dir, 'old.json'), stateFile: undefined };
  const { chains, traces } = await readFileSigner(group, request);
  expect(chains[0]).toMatchObject({ state: undefined, lastSigned: { height: 7n } });
  expect(traces).toEqual({ program: undefined, files: [join(dir, 'old.json')], folders: [] });
});

it.each<[string, string, string, string]>([
  ['a key that is cut short', 'config/priv_validator_key.json', KEY.slice(0, 100), 'KEY_INVALID'],
  [
    'a key that is encrypted',
    'config/priv_validator_key.json',
    '-----BEGIN PGP MESSAGE-----',
    'is encrypted with GnuPG',
  ],
  ['a state that is cut short', 'data/priv_validator_state.json', STATE.slice(0, 20), 'STATE_IMPORT_INVALID'],
  [
    'a state of TMKMS',
    'data/priv_validator_state.json',
    '{"height":"5","round":"0","step":2,"block_id":null}',
    'round is not a whole number',
  ],
])('refuses %s', async (_name, file, contents, problem) => {
  write(file, contents);
  const line = await readFileSigner(group, { chainId: 'one', ...filesOfHome(dir) }).catch((error: unknown) =>
    isHekateError(error) ? error.toLine() : error,
  );
  expect(line).toContain(problem);
});

it.each<[string, object, string]>([
  ['a key that is not there', { keyFile: '/nowhere/key.json' }, 'KEY_INVALID'],
  ['a state that is not there', { stateFile: '/nowhere/state.json' }, 'STATE_IMPORT_INVALID'],
  ['a chain id that is none', { chainId: '../x' }, 'USAGE'],
])('refuses %s', async (_name, change, code) => {
  await expect(readFileSigner(group, { chainId: 'one', ...filesOfHome(dir), ...change })).rejects.toMatchObject({
    code,
  });
});
