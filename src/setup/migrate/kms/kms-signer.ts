import { join, resolve } from 'node:path';
import { equalBytes, wipe } from '../../../shared/bytes.js';
import { nodeKey, parseNodeAddress } from '../../../shared/config/node-address.js';
import { verifySignature } from '../../../shared/ed25519/openssl-verify.js';
import { HekateError, isHekateError } from '../../../shared/errors.js';
import type { Group } from '../../../shared/frost/group.js';
import { keyFromSeed } from '../../../shared/frost/keys.js';
import { readPrivateFile } from '../../../shared/home/private-file.js';
import { exists } from '../../durable-files.js';
import { fromFilePv, type FilePvState } from '../../file-pv.js';
import { parsePrivateKeyAlone, wipeKey } from '../../keys/priv-validator-key.js';
import { parseBareKey } from '../bare-key.js';
import { notesOnAccess, withKeyFile } from '../key-source.js';
import { wipeOldSigner, type OldChain, type OldKey, type OldSigner, type OldState } from '../old-signer.js';
import { readStateFile } from '../state-source.js';
import { isNoise, parseKmsConfig, type Backend, type KmsConfig, type KmsKey } from './kms-config.js';

export interface KmsRequest {
  /** Its --home; all paths of its configuration begin there. */
  readonly home: string;
  /** Undefined: every chain of the configuration. */
  readonly chainIds: readonly string[] | undefined;
  /** Take over the key that it shows to nodes. */
  readonly keepIdentity: boolean;
}

const CONFIG_FILE = 'kms.yaml';
const MAX_CONFIG_BYTES = 256 * 1024;
const DEVICE: Readonly<Record<Exclude<Backend, 'file'>, string>> = {
  pkcs11: 'a token behind PKCS #11',
  awskms: 'AWS KMS',
};

/**
 * cosmos/kms by the kms.yaml in its home (0.1). Throws USAGE, OLD_CONFIG_INVALID, KEY_CANNOT_LEAVE, KEY_INVALID,
 * KEY_TYPE_UNSUPPORTED, STATE_IMPORT_INVALID, IDENTITY_INVALID or ACCESS_DENIED.
 */
export async function readKms(group: Group, request: KmsRequest): Promise<OldSigner> {
  const home = resolve(request.home);
  const file = join(home, CONFIG_FILE);
  const config = parseKmsConfig(file, await readConfig(file));
  const wanted = chosenChains(file, config, request.chainIds);
  const keys = wanted.map((chain) => ({ chain, key: keyOf(file, config, chain.id) }));
  const chains: OldChain[] = [];
  let identitySeed: Uint8Array | undefined;
  try {
    for (const { chain, key } of keys) chains.push(await readChain(group, home, config, chain, key));
    if (request.keepIdentity) identitySeed = await readIdentity(group, home, config, wanted);
  } catch (error) {
    wipeOldSigner({ name: '', chains, notes: [], traces: NO_TRACES, identitySeed });
    throw error;
  }
  const files = chains.flatMap(({ keyFrom, state }) => (state === undefined ? [keyFrom] : [keyFrom, state.file]));
  return {
    ...{ name: 'cosmos/kms', chains, identitySeed },
    notes: config.servesGrpc
      ? ['grpc is not taken over: hekate signs for nodes only, never raw bytes for whoever connects']
      : [],
    traces: { program: { name: 'kms', config: file }, files, folders: [] },
  };
}

const NO_TRACES = { program: undefined, files: [], folders: [] } as const;
type KmsChain = KmsConfig['chains'][number];

async function readConfig(file: string): Promise<string> {
  const codes = { missing: 'OLD_CONFIG_INVALID', mode: undefined, invalid: 'OLD_CONFIG_INVALID' } as const;
  return Buffer.from(await readPrivateFile(file, 'the configuration', MAX_CONFIG_BYTES, codes)).toString('utf8');
}

function chosenChains(file: string, config: KmsConfig, ids: readonly string[] | undefined): readonly KmsChain[] {
  const known = config.chains.map(({ id }) => id);
  const stranger = ids?.find((id) => !known.includes(id));
  if (stranger !== undefined)
    throw new HekateError('USAGE', `${file} has no chain ${JSON.stringify(stranger)}`, {
      fix: `choose among ${known.join(', ')}`,
    });
  const chosen = config.chains.filter(({ id }) => ids?.includes(id) ?? true);
  if (chosen.length === 0) throw new HekateError('OLD_CONFIG_INVALID', `${file} has no chains`);
  return chosen;
}

/** The file of the one key of a chain. Throws OLD_CONFIG_INVALID, KEY_CANNOT_LEAVE or KEY_TYPE_UNSUPPORTED. */
function keyOf(file: string, config: KmsConfig, chainId: string): string {
  const keys = config.keys.filter(({ chainIds }) => chainIds.includes(chainId));
  const [key, other] = keys;
  if (key === undefined || other !== undefined)
    throw new HekateError('OLD_CONFIG_INVALID', `${file} has ${keys.length} keys for ${chainId}, and kms wants one`, {
      fix: 'leave the one that kms signs with',
    });
  checkUsable(key, chainId);
  if (key.keyFile !== undefined) return key.keyFile;
  throw new HekateError('OLD_CONFIG_INVALID', `${file} names no key_file for the key of ${chainId}`);
}

function checkUsable({ backend, algorithm }: KmsKey, chainId: string): void {
  if (algorithm !== undefined && algorithm !== 'ed25519')
    throw new HekateError(
      'KEY_TYPE_UNSUPPORTED',
      `the key of ${chainId} is of the algorithm ${JSON.stringify(algorithm.slice(0, 40))}; hekate signs with Ed25519 only`,
    );
  if (backend !== 'file')
    throw new HekateError(
      'KEY_CANNOT_LEAVE',
      `the key of ${chainId} is in ${DEVICE[backend]}, which signs with it and does not give it away`,
      {
        fix:
          'where the chain can exchange the key of a validator, make a new one with `hekate init` and rotate to it; if the key ' +
          'was imported there, give the file that it came from, with `hekate migrate file`',
      },
    );
}

async function readChain(
  group: Group,
  home: string,
  config: KmsConfig,
  { id: chainId, stateFile }: KmsChain,
  keyFile: string,
): Promise<OldChain> {
  const keyFrom = resolve(home, keyFile);
  const path = resolve(home, stateFile);
  const found = (await exists(path)) ? await readStateFile(path, (text) => fromFilePv(text, chainId)) : undefined;
  const key = await withKeyFile(keyFrom, 'the key file', (contents) => parseKmsKey(group, contents));
  try {
    if (found !== undefined) checkState(path, found, key);
    const state: OldState | undefined = found === undefined ? undefined : { file: path, found };
    const { nodes, notes } = nodesOf(config, chainId);
    const missing = state === undefined ? [`its state file ${path} is not there`] : [];
    const access = await notesOnAccess(keyFrom);
    return {
      ...{ chainId, key, keyFrom, state, lastSigned: undefined, nodes, bech32Prefix: undefined },
      notes: [...missing, ...access, ...notes],
    };
  } catch (error) {
    wipe(key.secret);
    throw error;
  }
}

/** A priv_validator_key.json, of which kms looks at the private key alone, or base64. */
function parseKmsKey(group: Group, contents: Uint8Array): OldKey {
  if (contents.find((byte) => byte > 0x20) !== 0x7b) return parseBareKey(group, contents, 'cosmos/kms');
  const key = parsePrivateKeyAlone(group, contents);
  try {
    return keyFromSeed(group, key.seed);
  } finally {
    wipeKey(key);
  }
}

/** kms does not see when a state was exchanged for that of another chain or key. */
function checkState(path: string, { watermark, signature }: FilePvState, { publicKey }: OldKey): void {
  const { signBytes } = watermark;
  if (signBytes === undefined || signature === undefined) return;
  if (verifySignature(publicKey, signBytes.bytes, signature)) return;
  throw new HekateError(
    'STATE_IMPORT_INVALID',
    `the signature in ${path} over its signbytes is not of the key of this chain: it is the state of another key, or was edited`,
  );
}

function nodesOf(
  config: KmsConfig,
  chainId: string,
): { readonly nodes: readonly string[]; readonly notes: readonly string[] } {
  const nodes = new Map<string, string>();
  const notes: string[] = [];
  for (const { address, reconnects } of config.validators.filter((validator) => validator.chainId === chainId)) {
    if (isNoise(address)) {
      notes.push(
        `${address} is left out: hekate does not speak noise; set the priv_validator_laddr of that node to tcp://, and give it with --node`,
      );
      continue;
    }
    const parsed = parseNodeAddress(address);
    nodes.set(nodeKey(parsed), parsed.text);
    if (!reconnects)
      notes.push(`reconnect: false of ${parsed.text} is not taken over: a sentry-link always dials again`);
  }
  return { nodes: [...nodes.values()], notes };
}

/** The one identity of all validators of these chains. Throws IDENTITY_INVALID. */
async function readIdentity(
  group: Group,
  home: string,
  config: KmsConfig,
  chains: readonly KmsChain[],
): Promise<Uint8Array> {
  const ids = new Set(chains.map(({ id }) => id));
  const used = config.validators.filter(({ chainId }) => ids.has(chainId));
  const paths = [...new Set(used.map(({ identityKey }) => resolve(home, identityKey)))];
  let seed: Uint8Array | undefined;
  for (const path of paths) {
    const next = await readSeed(group, path);
    if (seed === undefined) seed = next;
    else {
      const same = equalBytes(seed, next);
      wipe(next);
      if (same) continue;
      wipe(seed);
      throw identityInvalid(`its validators have ${paths.length} identities, and a sentry-link has one`);
    }
  }
  if (seed === undefined) throw identityInvalid('it names no validators of these chains');
  return seed;
}

/** As node_key.json of CometBFT. */
async function readSeed(group: Group, path: string): Promise<Uint8Array> {
  try {
    return await withKeyFile(path, 'the identity', (contents) => parsePrivateKeyAlone(group, contents).seed);
  } catch (error) {
    const isOfKey = isHekateError(error) && (error.code === 'KEY_INVALID' || error.code === 'KEY_TYPE_UNSUPPORTED');
    throw isOfKey ? identityInvalid(`${path}: ${error.message}`) : error;
  }
}

function identityInvalid(problem: string): HekateError {
  return new HekateError('IDENTITY_INVALID', `the identity of cosmos/kms cannot be taken over: ${problem}`, {
    fix: 'leave out --keep-identity: over tcp nodes do not check who their signer is',
  });
}
