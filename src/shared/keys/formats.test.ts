import { expect, test } from 'vitest';
import { fromHex } from '../bytes.js';
import { publicKeyForms, toBech32 } from './formats.js';
import vectors from './testdata/keys.json' with { type: 'json' };

test.each(vectors.bech32)('bech32: $name', ({ prefix, hex, text }) => {
  expect(toBech32(prefix, fromHex(hex))).toBe(text);
});

test('bech32: longer than the 90 characters of BIP-173', () => {
  expect(toBech32('cosmosvalconspub', new Uint8Array(64))).toMatch(/^cosmosvalconspub1q{103}.{6}$/);
});

test.each(vectors.forms)(
  'forms of a public key: $name',
  ({ publicKey, prefix, value, address, valcons, valconspub }) => {
    expect(publicKeyForms(fromHex(publicKey), prefix)).toEqual({
      cometbft: { type: 'tendermint/PubKeyEd25519', value },
      sdk: { '@type': '/cosmos.crypto.ed25519.PubKey', key: value },
      hex: publicKey,
      address,
      valcons,
      valconspub,
    });
  },
);

test.each(['kiravalcons', 'kiravalconspub'])('the whole prefix %s may be given', (prefix) => {
  const key = fromHex(vectors.forms[0]?.publicKey ?? '');
  expect(publicKeyForms(key, prefix)).toEqual(publicKeyForms(key, 'kira'));
});
