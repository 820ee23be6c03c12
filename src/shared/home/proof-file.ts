import { promises as fsp } from 'node:fs';
import { z } from 'zod';
import { toBase64 } from '../bytes.js';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { readPlainText } from '../ports/plain-file.js';
import { checkProof, claimedBytes, type Proof } from '../watermark/proof.js';
import type { StateBinding } from '../watermark/slot-record.js';

/** About 600 bytes are usual. */
const MAX_FILE_BYTES = 4096;
const MODE_PUBLIC = 0o644;

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const schema = z.object({
  version: z.literal(1),
  chainId: z.string(),
  groupPublicKey: base64,
  signBytes: base64,
  signature: base64,
});

/**
 * The newest signature that a link knows of, with all that shows that it is one. What a newer hekate writes besides is not looked
 * at. Undefined where there is no file. Throws PROOF_INVALID.
 */
export async function loadProofFile(path: string, binding: StateBinding): Promise<Proof | undefined> {
  const contents = await read(path);
  if (contents === undefined) return undefined;
  const { chainId, groupPublicKey, signBytes, signature } = parse(contents, path);
  const proof = { chainId, groupPublicKey, signBytes, signature };
  try {
    claimedBytes(proof, binding);
    checkProof(proof);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    throw invalid(path, error.message);
  }
  return proof;
}

/** In place of what was there. Not synced: it is harmless to lose. */
export async function writeProofFile(path: string, proof: Proof): Promise<void> {
  const { chainId, groupPublicKey, signBytes, signature } = proof;
  const bytes = { groupPublicKey, signBytes, signature };
  const inBase64 = Object.fromEntries(Object.entries(bytes).map(([name, value]) => [name, toBase64(value)]));
  const text = `${JSON.stringify({ version: 1, chainId, ...inBase64 }, undefined, 2)}\n`;
  await fsp.writeFile(`${path}.new`, text, { mode: MODE_PUBLIC });
  await fsp.rename(`${path}.new`, path);
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readPlainText(path, MAX_FILE_BYTES);
  } catch (error) {
    if (diskErrorCode(error) === 'ENOENT') return undefined;
    throw invalid(path, `it cannot be read: ${messageOf(error)}`);
  }
}

function parse(contents: Uint8Array, path: string): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(contents).toString('utf8')));
  } catch {
    throw invalid(path, 'it is not what a sentry-link writes');
  }
}

function invalid(path: string, problem: string): HekateError {
  return new HekateError('PROOF_INVALID', `${path}: ${problem}`, {
    fix: 'none needed, the next signature takes its place; find out who changed the file',
  });
}
