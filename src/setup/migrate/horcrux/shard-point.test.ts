import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dealAsHorcrux, pointOfShare } from '../../../../test/support/horcrux.js';
import { PREVOTE, voteSignBytes } from '../../../../test/support/vote-bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { toPoint } from '../../../shared/frost/group.js';
import { seededRandom } from '../../../shared/frost/testdata/fixture.js';
import { fromFilePv } from '../../file-pv.js';
import { encodeShardPoint, parseShardPoint, sameShardPoint, type ShardPoint } from './shard-point.js';

const random = seededRandom('points');
const dealing = dealAsHorcrux(2, 3, () => random(32));
const SIGN_BYTES = voteSignBytes({
  ...{ type: PREVOTE, height: 77n, round: 0, blockId: undefined, chainId: 'one' },
  timestamp: { seconds: 1_700_000_000n, nanos: 5 },
});
const PLACE = {
  ...{ height: '77', round: 0, step: 2, signature: Buffer.alloc(64, 9).toString('base64') },
  signbytes: Buffer.from(SIGN_BYTES).toString('hex').toUpperCase(),
};
const shard: ShardPoint = {
  ...{ chainId: 'one', publicKey: toPoint(dealing.publicKey), threshold: 2, count: 3, id: 3 },
  ...{ point: toPoint(pointOfShare(dealing.shares[2]!)), state: fromFilePv(JSON.stringify(PLACE), 'one') },
};
const text = encodeShardPoint(shard);
const file = JSON.parse(text) as Record<string, unknown>;

/** The file with another value, and the checksum that goes with it. */
function changed(change: Record<string, unknown>): string {
  const { checksum, ...body } = { ...file, ...change };
  const right = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return JSON.stringify({ ...body, checksum: 'checksum' in change ? checksum : right });
}

function refusal(contents: string): string {
  try {
    parseShardPoint(contents, 'p.json');
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

describe('the file to carry', () => {
  it('has nothing in it but what is public', () => {
    expect(Object.keys(file)).toEqual([
      ...['version', 'kind', 'chainId', 'publicKey', 'threshold', 'count', 'id', 'point', 'place', 'checksum'],
    ]);
    expect(file['place']).toEqual(PLACE);
  });

  it.each<[string, ShardPoint]>([
    ['with sign bytes and signature', shard],
    ['with a place alone', { ...shard, state: fromFilePv('{"height":"77","round":0,"step":2}', 'one') }],
    ['without a place', { ...shard, state: undefined }],
  ])('is read as it was written, %s', (_name, one) => {
    const read = parseShardPoint(encodeShardPoint(one), 'p.json');
    expect(read).toEqual(one);
    expect(sameShardPoint(read, one)).toBe(true);
    expect(sameShardPoint(read, { ...one, id: 2 })).toBe(false);
  });

  it('may be indented otherwise, or have its line end changed', () => {
    expect(parseShardPoint(JSON.stringify(file), 'p.json')).toEqual(shard);
    expect(parseShardPoint(text.replaceAll('\n', '\r\n'), 'p.json')).toEqual(shard);
  });
});

it.each<[string, string, string]>([
  ['cut short', text.slice(0, 200), 'SHARD_POINT_INVALID: p.json is no public point of a shard: it is not JSON'],
  ['empty', '', 'it is not JSON'],
  ['a list', '[]', 'it is something else'],
  ['a group.json', '{"version":1,"chainId":"one"}', 'it is something else'],
  ['changed on the way', text.replace('"height": "77"', '"height": "78"'), 'its checksum does not fit'],
  ['without a checksum', changed({ checksum: undefined }), '"checksum" is missing'],
  ['of a newer release', changed({ version: 2 }), 'FILE_VERSION: the point p.json has version 2'],
  ['of version 0', changed({ version: 0 }), 'its version is not 1'],
  ['with an unknown key', changed({ secret: 1 }), 'unknown key "secret"'],
  ['without a chain', changed({ chainId: undefined }), '"chainId" is no chain id'],
  ['with a path for a chain', changed({ chainId: '../x' }), '"chainId" is no chain id'],
  ['with a short point', changed({ point: 'AAAA' }), '"point" is not 32 bytes in base64'],
  [
    'with a point in another base64',
    changed({ point: `${(file['point'] as string).slice(0, -1)}` }),
    '"point" is not 32 bytes',
  ],
  ['with a short public key', changed({ publicKey: 'AAAA' }), '"publicKey" is not 32 bytes in base64'],
  ['with id 0', changed({ id: 0 }), '"id" is not a whole number from 1 to 32'],
  ['with 33 shards', changed({ count: 33 }), '"count" is not a whole number from 1 to 32'],
  ['with half a threshold', changed({ threshold: 1.5 }), '"threshold" is not a whole number from 1 to 32'],
  ['with a place that is a number', changed({ place: 77 }), '"place" is no place'],
  ['without a place', changed({ place: undefined }), '"place" is no place'],
  ['with a place without a round', changed({ place: { height: '77', step: 2 } }), 'STATE_IMPORT_INVALID: '],
  ['with sign bytes of another place', changed({ place: { ...PLACE, height: '78' } }), 'its signbytes say height 77'],
  ['with sign bytes of another chain', changed({ chainId: 'two' }), 'signbytes are for chain "one"'],
])('refuses a file that is %s', (_name, contents, problem) => {
  expect(refusal(contents)).toContain(problem);
});
