import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dealAsHorcrux, horcruxYaml, shardJson } from '../../../../test/support/horcrux.js';
import { toBase64, toHex } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { seededRandom } from '../../../shared/frost/testdata/fixture.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { OldSigner } from '../old-signer.js';
import {
  isHorcruxHost,
  pointOfChain,
  readHorcrux,
  readShardFile,
  wipeHost,
  type HorcruxHost,
  type HorcruxRequest,
} from './horcrux-host.js';

const group = await loadGroup();
const random = seededRandom('host');
const dealing = dealAsHorcrux(2, 3, () => random(32));
const YAML = horcruxYaml(2, 3, ['tcp://10.0.0.9:1234']);
const state = (height: number, round: string | number, step: number): string =>
  JSON.stringify({ height: String(height), round, step, nonce_public: null });
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hekate-horcrux-'));
  write('config.yaml', YAML);
  write('one_shard.json', shardJson(dealing, 2));
  write('state/one_priv_validator_state.json', state(50, '0', 3));
  write('state/one_share_sign_state.json', state(51, '0', 2));
});
afterEach(() => rmSync(home, { recursive: true }));

function write(name: string, contents: string): void {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), contents, { mode: 0o600 });
}

function read(change: Partial<HorcruxRequest> = {}): Promise<HorcruxHost | OldSigner> {
  return readHorcrux(group, { home, chainIds: undefined, startedIn: home, ...change });
}

async function host(change: Partial<HorcruxRequest> = {}): Promise<HorcruxHost> {
  const found = await read(change);
  if (!isHorcruxHost(found)) throw new Error('single mode');
  return found;
}

async function refusal(change: Partial<HorcruxRequest> = {}): Promise<string> {
  try {
    await read(change);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

describe('a host of a cluster', () => {
  it('has its shard as it is, and the higher place of its two files', async () => {
    const found = await host();
    const [chain] = found.chains;
    expect(found).toMatchObject({ threshold: 2, count: 3, notes: [] });
    expect(chain).toMatchObject({ chainId: 'one', nodes: ['tcp://10.0.0.9:1234'], notes: [] });
    expect(toHex(chain!.shard.share)).toBe(toHex(dealing.shares[1]!));
    expect(describePlace(chain!.state!.watermark)).toBe('height 51, round 0, prevote');
    expect(found.traces.program).toEqual({ name: 'horcrux', config: join(home, 'config.yaml') });
    expect(found.traces.folders).toContain(join(home, 'raft'));
    wipeHost(found);
    expect(chain!.shard.share.every((byte) => byte === 0)).toBe(true);
  });

  it('gives what is public of it', async () => {
    const found = await host();
    const point = pointOfChain(found, found.chains[0]!);
    expect(point).toMatchObject({ chainId: 'one', threshold: 2, count: 3, id: 2 });
    expect(Object.keys(point)).not.toContain('share');
  });

  it('several chains: which node is of which is not known', async () => {
    write('two_shard.json', shardJson(dealing, 2));
    const all = await host();
    expect(all.chains.map(({ chainId, nodes, notes }) => [chainId, nodes, notes.length])).toEqual([
      ['one', undefined, 0],
      ['two', undefined, 3],
    ]);
    expect((await host({ chainIds: ['one'] })).chains.map(({ chainId, nodes }) => [chainId, nodes])).toEqual([
      ['one', undefined],
    ]);
  });

  it('keys in another folder, also relative to where Horcrux is started', async () => {
    for (const keyDir of [join(home, 'keys'), 'keys']) {
      write('config.yaml', `keyDir: ${keyDir}\n${YAML}`);
      write('keys/three_shard.json', shardJson(dealing, 1));
      expect((await host()).chains.map(({ chainId }) => chainId)).toEqual(['three']);
    }
  });

  it('a shard that others may read is read, and that is said', async () => {
    chmodSync(join(home, 'one_shard.json'), 0o644);
    expect((await host()).chains[0]!.notes).toEqual([expect.stringContaining('everybody may use it')]);
  });

  it.each<[string, () => void, readonly string[]]>([
    [
      'one file',
      () => rmSync(join(home, 'state/one_share_sign_state.json')),
      ['one_share_sign_state.json is not there'],
    ],
    [
      'all',
      () => rmSync(join(home, 'state'), { recursive: true }),
      ['is not there', 'is not there', 'knows of no signature on one'],
    ],
    [
      'all places',
      () => ['priv_validator', 'share_sign'].forEach((name) => write(`state/one_${name}_state.json`, state(0, '0', 0))),
      ['knows of no signature on one'],
    ],
  ])('without %s of its state it says so', async (_name, remove, notes) => {
    remove();
    const [chain] = (await host()).chains;
    expect(chain!.notes).toEqual(notes.map((note) => expect.stringContaining(note) as string));
  });

  it.each<[string, () => void, string]>([
    ['no configuration', () => rmSync(join(home, 'config.yaml')), 'OLD_CONFIG_INVALID: '],
    ['no shard', () => rmSync(join(home, 'one_shard.json')), 'has no CHAIN_shard.json'],
    ['a shard that is cut short', () => write('one_shard.json', shardJson(dealing, 2).slice(0, 99)), 'SHARD_INVALID: '],
    ['an encrypted shard', () => write('one_shard.json', 'age-encryption.org/v1\n'), 'SHARD_INVALID: the shard'],
    [
      'a shard that is a folder',
      () => (rmSync(join(home, 'one_shard.json')), mkdirSync(join(home, 'one_shard.json'))),
      'SHARD_INVALID: ',
    ],
    ['a shard of a larger cluster', () => write('config.yaml', horcruxYaml(1, 1, [])), 'SHARDS_DISAGREE: '],
    [
      'a state that is cut short',
      () => write('state/one_share_sign_state.json', '{"height":'),
      'STATE_IMPORT_INVALID: ',
    ],
    [
      'a state with a wrong type',
      () => write('state/one_share_sign_state.json', '{"height":"5","round":[],"step":1}'),
      'one_share_sign_state.json: not a usable',
    ],
    ['a configuration with an unknown key', () => write('config.yaml', `${YAML}x: 1\n`), 'OLD_CONFIG_INVALID: '],
  ])('is refused with %s', async (_name, spoil, problem) => {
    spoil();
    expect(await refusal()).toContain(problem);
  });

  it('is refused where it has no such chain, or is none', async () => {
    expect(await refusal({ chainIds: ['other'] })).toContain('no shard of chain "other". Fix: choose among one');
    expect(await refusal({ home: join(home, 'nowhere') })).toContain('OLD_CONFIG_INVALID: ');
  });
});

describe('single mode', () => {
  beforeEach(() => write('config.yaml', 'signMode: single\nchainNodes:\n  - privValAddr: tcp://10.0.0.9:1234\n'));

  it('has a whole key, as a node has it', async () => {
    write('one_priv_validator_key.json', JSON.stringify(keys.privValidatorKey));
    write('state/one_priv_validator_state.json', JSON.stringify({ height: '50', round: 0, step: 3 }));
    const found = await read();
    if (isHorcruxHost(found)) throw new Error('a cluster');
    expect(found.name).toBe('Horcrux in single mode');
    expect(found.chains).toMatchObject([{ chainId: 'one', nodes: ['tcp://10.0.0.9:1234'] }]);
    expect(toBase64(found.chains[0]!.key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
    expect(describePlace(found.chains[0]!.state!.found.watermark)).toBe('height 50, round 0, precommit');
  });

  it('does not take shards for a key', async () => {
    expect(await refusal()).toContain('has no CHAIN_priv_validator_key.json');
  });
});

describe('a shard by its file', () => {
  it('has its chain in its name', async () => {
    const { chainId, shard } = await readShardFile(group, join(home, 'one_shard.json'));
    expect([chainId, shard.id]).toEqual(['one', 2]);
  });

  it('is refused under another name', async () => {
    write('share.json', shardJson(dealing, 2));
    await expect(readShardFile(group, join(home, 'share.json'))).rejects.toThrow('does not say for which chain');
  });
});
