import { expect, it } from 'vitest';
import { fromHex } from '../bytes.js';
import { toPoint } from '../frost/group.js';
import vectors from '../keys/testdata/keys.json' with { type: 'json' };
import { silentLog, type LogFields } from '../ports/log.js';
import { tellValidator } from './tell-validator.js';

it.each(vectors.forms)('the line of a start: $name', ({ publicKey, prefix, address, valcons }) => {
  const lines: [string, LogFields?][] = [];
  const log = { ...silentLog, info: (...line: [string, LogFields?]) => void lines.push(line) };
  const groupPublicKey = toPoint(fromHex(publicKey));
  tellValidator(log, prefix, { chainId: 'test-1', threshold: 2, count: 3, groupPublicKey, commitments: [] });
  expect(lines).toEqual([['signs for validator', { chain: 'test-1', address, valcons, cosigners: '2 of 3' }]]);
});
