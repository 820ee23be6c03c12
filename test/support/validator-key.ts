import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ValidatorKey {
  readonly keyFile: string;
  readonly publicKey: Uint8Array;
}

/** A new key in a priv_validator_key.json as FilePV writes it (CometBFT privval/file.go). */
export function writeValidatorKey(folder: string): ValidatorKey {
  const pair = generateKeyPairSync('ed25519');
  // PKCS#8 and SPKI end with the 32 bytes (RFC 8410).
  const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyFile = join(folder, 'priv_validator_key.json');
  const contents = {
    address: createHash('sha256').update(publicKey).digest('hex').slice(0, 40).toUpperCase(),
    pub_key: { type: 'tendermint/PubKeyEd25519', value: publicKey.toString('base64') },
    priv_key: { type: 'tendermint/PrivKeyEd25519', value: Buffer.concat([seed, publicKey]).toString('base64') },
  };
  writeFileSync(keyFile, JSON.stringify(contents, undefined, 2), { mode: 0o600 });
  return { keyFile, publicKey: new Uint8Array(publicKey) };
}
