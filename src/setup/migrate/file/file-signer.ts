import { dirname, join, resolve } from 'node:path';
import { HekateError } from '../../../shared/errors.js';
import type { Group } from '../../../shared/frost/group.js';
import { keyFromSeed } from '../../../shared/frost/keys.js';
import { chainIdProblem } from '../../../shared/config/chain-id.js';
import { fromFilePv } from '../../file-pv.js';
import { parsePrivValidatorKey, wipeKey } from '../../keys/priv-validator-key.js';
import { notesOnAccess, withKeyFile } from '../key-source.js';
import { readStateFile } from '../state-source.js';
import type { OldChain, OldKey, OldSigner } from '../old-signer.js';
import type { HeightRoundStep } from '../../../shared/watermark/watermark.js';

export interface FileSignerRequest {
  readonly chainId: string;
  readonly keyFile: string;
  /** Undefined: it is not within reach. */
  readonly stateFile: string | undefined;
}

/** Where a node keeps them (CometBFT config/config.go). */
export function filesOfHome(home: string): { readonly keyFile: string; readonly stateFile: string } {
  return {
    keyFile: join(home, 'config', 'priv_validator_key.json'),
    stateFile: join(home, 'data', 'priv_validator_state.json'),
  };
}

/**
 * A node that signs by itself, with the files that FilePV keeps (CometBFT privval/file.go). Throws USAGE, KEY_INVALID,
 * KEY_TYPE_UNSUPPORTED, STATE_IMPORT_INVALID or ACCESS_DENIED.
 */
export async function readFileSigner(group: Group, request: FileSignerRequest): Promise<OldSigner> {
  const { chainId } = request;
  const problem = chainIdProblem(chainId);
  if (problem !== undefined) throw new HekateError('USAGE', problem);
  const keyFile = resolve(request.keyFile);
  const stateFile = request.stateFile === undefined ? undefined : resolve(request.stateFile);
  const state =
    stateFile === undefined
      ? undefined
      : { file: stateFile, found: await readStateFile(stateFile, (text) => fromFilePv(text, chainId)) };
  const { key, lastSigned } = await withKeyFile(keyFile, 'the key file', (contents) => readKey(group, contents));
  const chain: OldChain = {
    ...{ chainId, key, keyFrom: keyFile, state, lastSigned },
    ...{ nodes: [], bech32Prefix: undefined, notes: await notesOnAccess(keyFile) },
  };
  const files = stateFile === undefined ? [keyFile] : [keyFile, stateFile];
  return {
    name: 'the node with the key file',
    chains: [chain],
    notes: [],
    traces: { program: undefined, files, folders: dataFolders(keyFile, stateFile) },
    identitySeed: undefined,
  };
}

function readKey(
  group: Group,
  contents: Uint8Array,
): { readonly key: OldKey; readonly lastSigned: HeightRoundStep | undefined } {
  const found = parsePrivValidatorKey(group, contents);
  try {
    return { key: keyFromSeed(group, found.seed), lastSigned: found.lastSigned };
  } finally {
    wipeKey(found);
  }
}

/** The node keeps its databases open for as long as it runs; the key and the state it opens for moments only. */
function dataFolders(keyFile: string, stateFile: string | undefined): readonly string[] {
  const folders: string[] = [];
  if (dirname(keyFile).endsWith('/config')) folders.push(join(dirname(dirname(keyFile)), 'data'));
  if (stateFile !== undefined && dirname(stateFile).endsWith('/data')) folders.push(dirname(stateFile));
  return [...new Set(folders)];
}
