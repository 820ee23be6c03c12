import { promises as fsp } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { equalBytes, wipe } from '../../../shared/bytes.js';
import { DROPPED_ID, hasDroppedId, nodeKey, parseNodeAddress } from '../../../shared/config/node-address.js';
import { HekateError, isHekateError } from '../../../shared/errors.js';
import type { Group } from '../../../shared/frost/group.js';
import { base64ToBytes } from '../../../shared/keys/secret-bytes.js';
import { readPrivateFile } from '../../../shared/home/private-file.js';
import { exists } from '../../durable-files.js';
import { notesOnAccess, withKeyFile } from '../key-source.js';
import { wipeOldSigner, type OldChain, type OldKey, type OldSigner, type OldState } from '../old-signer.js';
import { readStateFile } from '../state-source.js';
import { parseSoftsignKey } from './softsign-key.js';
import { parseTmkmsConfig, type Hardware, type TmkmsChain, type TmkmsConfig } from './tmkms-config.js';
import { parseTmkmsState } from './tmkms-state.js';

export interface TmkmsRequest {
  readonly config: string;
  /** Undefined: every chain of the configuration. */
  readonly chainIds: readonly string[] | undefined;
  /** Addresses of validators, upper-case hex, that an operator gave. */
  readonly validators: readonly string[];
  /** Take over the key that TMKMS shows to nodes. */
  readonly keepIdentity: boolean;
  /** Folder that TMKMS is started in: its relative paths begin there. */
  readonly startedIn: string;
}

const MAX_CONFIG_BYTES = 1024 * 1024;
const DEVICE: Readonly<Record<Hardware, string>> = {
  yubihsm: 'a YubiHSM 2',
  ledgertm: 'a Ledger',
  fortanixdsm: 'Fortanix DSM',
};

/**
 * TMKMS by its tmkms.toml (0.12 to 0.15). Throws USAGE, OLD_CONFIG_INVALID, KEY_CANNOT_LEAVE, KEY_INVALID, KEY_TYPE_UNSUPPORTED,
 * STATE_IMPORT_INVALID, IDENTITY_INVALID or ACCESS_DENIED.
 */
export async function readTmkms(group: Group, request: TmkmsRequest): Promise<OldSigner> {
  const file = resolve(request.config);
  const config = await parseTmkmsConfig(file, await readConfig(file));
  const wanted = chosenChains(file, config, request.chainIds);
  for (const { id } of wanted) checkLeaves(config, id);
  const chains: OldChain[] = [];
  let identitySeed: Uint8Array | undefined;
  try {
    for (const chain of wanted) chains.push(await readChain(group, file, config, chain, request));
    if (request.keepIdentity) identitySeed = await readIdentity(file, config, wanted, request);
  } catch (error) {
    wipeOldSigner({ name: '', chains, notes: [], traces: NO_TRACES, identitySeed });
    throw error;
  }
  const files = chains.flatMap(({ keyFrom, state }) => (state === undefined ? [keyFrom] : [keyFrom, state.file]));
  return {
    name: 'TMKMS',
    chains,
    notes: config.signsTransactions ? ['[[tx_signer]] is not taken over: hekate signs for consensus only'] : [],
    traces: { program: { name: 'tmkms', config: file }, files, folders: [] },
    identitySeed,
  };
}

const NO_TRACES = { program: undefined, files: [], folders: [] } as const;

async function readConfig(file: string): Promise<string> {
  const codes = { missing: 'OLD_CONFIG_INVALID', mode: undefined, invalid: 'OLD_CONFIG_INVALID' } as const;
  return Buffer.from(await readPrivateFile(file, 'the configuration', MAX_CONFIG_BYTES, codes)).toString('utf8');
}

function chosenChains(file: string, config: TmkmsConfig, ids: readonly string[] | undefined): readonly TmkmsChain[] {
  const known = config.chains.map(({ id }) => id);
  const stranger = ids?.find((id) => !known.includes(id));
  if (stranger !== undefined)
    throw new HekateError('USAGE', `${file} has no chain ${JSON.stringify(stranger)}`, {
      fix: `choose among ${known.join(', ')}`,
    });
  const chosen = config.chains.filter(({ id }) => ids?.includes(id) ?? true);
  if (chosen.length === 0) throw new HekateError('OLD_CONFIG_INVALID', `${file} has no [[chain]] section`);
  return chosen;
}

/** Where a chain has a key in a file as well, that is the one which TMKMS refuses to choose for. */
function checkLeaves(config: TmkmsConfig, chainId: string): void {
  const device = config.hardware.get(chainId);
  if (device === undefined) return;
  throw new HekateError(
    'KEY_CANNOT_LEAVE',
    `the key of ${chainId} is in ${DEVICE[device]}, which signs with it and does not give it away`,
  );
}

async function readChain(
  group: Group,
  file: string,
  config: TmkmsConfig,
  chain: TmkmsChain,
  request: TmkmsRequest,
): Promise<OldChain> {
  const { id: chainId } = chain;
  const softsign = softsignOf(file, config, chainId);
  const keyFrom = await find(softsign.path, file, request);
  if (keyFrom === undefined)
    throw new HekateError('KEY_INVALID', `${softsign.path}, the key of ${chainId}, is not there`, { fix: STARTED_IN });
  const stateFile = await find(chain.stateFile, file, request);
  const state: OldState | undefined =
    stateFile === undefined ? undefined : { file: stateFile, found: await readStateFile(stateFile, parseTmkmsState) };
  const access = await notesOnAccess(keyFrom);
  const key: OldKey = await withKeyFile(keyFrom, 'the key file', (contents) =>
    parseSoftsignKey(group, contents, softsign.format, request.validators),
  );
  const { nodes, notes } = nodesOf(config, chainId);
  const missing = stateFile === undefined ? [`its state file ${chain.stateFile} is not there; ${STARTED_IN}`] : [];
  return {
    ...{ chainId, key, keyFrom, state, lastSigned: undefined, nodes },
    bech32Prefix: prefixOf(chain.consensusKeyPrefix),
    notes: [...missing, ...access, ...notes, ...notesOn(chain)],
  };
}

const STARTED_IN =
  'TMKMS looks for relative paths in the folder that it is started in: run this in the same one, or write them out in full';

function softsignOf(file: string, config: TmkmsConfig, chainId: string): TmkmsConfig['softsign'][number] {
  const keys = config.softsign.filter(({ chainIds }) => chainIds.includes(chainId));
  const consensus = keys.filter(({ type }) => type === 'consensus');
  const [key, other] = consensus;
  if (key !== undefined && other === undefined) return key;
  if (other !== undefined)
    throw new HekateError('OLD_CONFIG_INVALID', `${file} has ${consensus.length} consensus keys for ${chainId}`, {
      fix: 'leave the one that TMKMS signs with',
    });
  if (keys.length > 0)
    throw new HekateError(
      'KEY_TYPE_UNSUPPORTED',
      `the only key of ${chainId} is an account key (secp256k1); hekate signs with Ed25519 only`,
    );
  throw new HekateError('OLD_CONFIG_INVALID', `${file} has no key for ${chainId}`, {
    fix: 'name the chain in the chain_ids of a [[providers.softsign]] section',
  });
}

/** A file by a path of the configuration; undefined where it is not. Throws OLD_CONFIG_INVALID when it could be two. */
async function find(path: string, config: string, { startedIn }: TmkmsRequest): Promise<string | undefined> {
  if (isAbsolute(path)) return (await exists(path)) ? path : undefined;
  const found: string[] = [];
  for (const candidate of new Set([resolve(startedIn, path), join(dirname(config), path)]))
    if (await exists(candidate)) found.push(candidate);
  const [only, other] = found;
  if (only === undefined || other === undefined) return only;
  if ((await fsp.realpath(only)) === (await fsp.realpath(other))) return only;
  throw new HekateError('OLD_CONFIG_INVALID', `${path} could be ${only} or ${other}`, { fix: STARTED_IN });
}

function nodesOf(
  config: TmkmsConfig,
  chainId: string,
): { readonly nodes: readonly string[]; readonly notes: readonly string[] } {
  const nodes = new Map<string, string>();
  const notes: string[] = [];
  for (const { address, maxHeight } of config.validators.filter((validator) => validator.chainId === chainId)) {
    const parsed = parseNodeAddress(address);
    nodes.set(nodeKey(parsed), parsed.text);
    if (hasDroppedId(parsed)) notes.push(`the id ${parsed.droppedId} is left out of ${parsed.text}: ${DROPPED_ID}`);
    if (maxHeight !== undefined)
      notes.push(
        `max_height ${JSON.stringify(maxHeight)} is not taken over: hekate signs on; stop the node at that height instead (its halt-height)`,
      );
  }
  return { nodes: [...nodes.values()], notes };
}

function notesOn({ hasHook, signsExtensions }: TmkmsChain): readonly string[] {
  return [
    ...(hasHook ? ['state_hook is not taken over: cosigners ask each other after a start, and need none'] : []),
    ...(signsExtensions
      ? ['sign_extensions needs no setting in hekate: it signs the vote extensions that a node asks for']
      : []),
  ];
}

/** "cosmosvalconspub" names the chain's prefix. */
function prefixOf(consensusKeyPrefix: string | undefined): string | undefined {
  const prefix = consensusKeyPrefix?.replace(/valcons(pub)?$/, '');
  return prefix !== undefined && /^[a-z][a-z0-9]{0,30}$/.test(prefix) ? prefix : undefined;
}

/** The one identity of all validators of these chains. Throws IDENTITY_INVALID. */
async function readIdentity(
  file: string,
  config: TmkmsConfig,
  chains: readonly TmkmsChain[],
  request: TmkmsRequest,
): Promise<Uint8Array> {
  const ids = new Set(chains.map(({ id }) => id));
  const paths = new Set(
    config.validators.filter(({ chainId }) => ids.has(chainId)).flatMap(({ secretKey }) => secretKey ?? []),
  );
  let seed: Uint8Array | undefined;
  for (const path of paths) {
    const found = await find(path, file, request);
    if (found === undefined) throw identityInvalid(`${path} is not there`);
    const next = await readSeed(found);
    if (seed !== undefined && !equalBytes(seed, next)) {
      wipe(seed, next);
      throw identityInvalid(`its validators have ${paths.size} identities, and a sentry-link has one`);
    }
    if (seed !== undefined) wipe(next);
    seed ??= next;
  }
  if (seed === undefined) throw identityInvalid('it names no secret_key');
  return seed;
}

async function readSeed(path: string): Promise<Uint8Array> {
  try {
    return await withKeyFile(path, 'the identity', (contents) => {
      let end = contents.length;
      while (end > 0 && (contents[end - 1] ?? 0) <= 0x20) end--;
      const seed = base64ToBytes(contents.subarray(0, end));
      if (seed?.length === 32) return seed;
      if (seed !== undefined) wipe(seed);
      throw identityInvalid(`${path} is not 32 bytes in base64`);
    });
  } catch (error) {
    throw isHekateError(error) && error.code === 'KEY_INVALID' ? identityInvalid(error.message) : error;
  }
}

function identityInvalid(problem: string): HekateError {
  return new HekateError('IDENTITY_INVALID', `the identity of TMKMS cannot be taken over: ${problem}`, {
    fix: 'leave out --keep-identity: nodes do not check who their signer is',
  });
}
