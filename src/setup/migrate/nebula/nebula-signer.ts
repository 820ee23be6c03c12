import { promises as fsp } from 'node:fs';
import { resolve } from 'node:path';
import { wipe } from '../../../shared/bytes.js';
import { HekateError } from '../../../shared/errors.js';
import type { Group } from '../../../shared/frost/group.js';
import { readPrivateFile } from '../../../shared/home/private-file.js';
import { compareHrs } from '../../../shared/watermark/watermark.js';
import { exists } from '../../durable-files.js';
import { parseBareKey } from '../bare-key.js';
import { notesOnAccess, withKeyFile } from '../key-source.js';
import type { OldChain, OldSigner, OldState } from '../old-signer.js';
import { readStateFile } from '../state-source.js';
import { parseNebulaConfig, type NebulaConfig, type NebulaKey, type NebulaState } from './nebula-config.js';
import { parseNebulaState } from './nebula-state.js';

export interface NebulaRequest {
  readonly config: string;
  /** States of its nodes that an operator brought, beside the one that the configuration names. */
  readonly states: readonly string[];
  /** Folder that nebula is started in: its relative paths begin there. */
  readonly startedIn: string;
}

const MAX_CONFIG_BYTES = 256 * 1024;
const STARTED_IN =
  'nebula looks for relative paths in the folder that it is started in: run this in the same one, or write them out in full';

/**
 * nebula by one node's configuration. Throws OLD_CONFIG_INVALID, KEY_CANNOT_LEAVE, KEY_INVALID, KEY_TYPE_UNSUPPORTED,
 * STATE_IMPORT_INVALID or ACCESS_DENIED.
 */
export async function readNebula(group: Group, request: NebulaRequest): Promise<OldSigner> {
  const file = resolve(request.config);
  const config = await parseNebulaConfig(file, await readConfig(file));
  const keyFrom = resolve(request.startedIn, fileOf(config.key));
  if (!(await exists(keyFrom)))
    throw new HekateError('KEY_INVALID', `${keyFrom}, the key of nebula, is not there`, { fix: STARTED_IN });
  const { state, notes } = await highestState(config, request);
  const key = await withKeyFile(keyFrom, 'the key file', (contents) => parseBareKey(group, contents, 'nebula'));
  try {
    const chain: OldChain = {
      ...{ chainId: config.chainId, key, keyFrom, state, lastSigned: undefined },
      ...{ nodes: config.nodes, bech32Prefix: undefined },
      notes: [...(await notesOnAccess(keyFrom)), ...notes],
    };
    const dataPath = config.keeps.kind === 'raft' ? [resolve(request.startedIn, config.keeps.dataPath)] : [];
    return {
      ...{ name: 'nebula', chains: [chain], notes: notesOnCopies(config), identitySeed: undefined },
      traces: {
        program: { name: 'nebula', config: file },
        files: state === undefined ? [keyFrom] : [keyFrom, state.file],
        folders: dataPath,
      },
    };
  } catch (error) {
    wipe(key.secret);
    throw error;
  }
}

async function readConfig(file: string): Promise<string> {
  const codes = { missing: 'OLD_CONFIG_INVALID', mode: undefined, invalid: 'OLD_CONFIG_INVALID' } as const;
  return Buffer.from(await readPrivateFile(file, 'the configuration', MAX_CONFIG_BYTES, codes)).toString('utf8');
}

function fileOf(key: NebulaKey): string {
  if (key.kind === 'vault')
    throw new HekateError(
      'KEY_CANNOT_LEAVE',
      `the key ${JSON.stringify(key.keyName.slice(0, 80))} is in Vault (${key.mode}), which signs with it`,
      {
        fix:
          'where it was made exportable, export it into a file on a tmpfs (/dev/shm), as base64 of 32 or 64 bytes, name that as ' +
          'private_key_path with signing_mode = "native" in a copy of the configuration, and give the copy; otherwise, where the ' +
          'chain can exchange the key of a validator, make a new one with `hekate init` and rotate to it',
      },
    );
  if (key.type === 'ed25519') return key.path;
  throw new HekateError('KEY_TYPE_UNSUPPORTED', `the key is of type ${key.type}; hekate signs with Ed25519 only`);
}

/** Of all that were brought and the one that is named. In Raft mode the place is in a database that only nebula reads. */
async function highestState(
  { keeps }: NebulaConfig,
  { states, startedIn }: NebulaRequest,
): Promise<{ readonly state: OldState | undefined; readonly notes: readonly string[] }> {
  const given = states.map((path) => resolve(path));
  for (const path of given) await checkNotInitial(path, keeps, startedIn);
  const own = keeps.kind === 'file' ? resolve(startedIn, keeps.path) : undefined;
  const isThere = own !== undefined && (await exists(own));
  const notes: string[] = [];
  if (keeps.kind === 'raft') notes.push(inDatabase(resolve(startedIn, keeps.dataPath), given.length > 0));
  else if (!isThere) notes.push(`its state file ${own ?? ''} is not there; ${STARTED_IN}`);
  let state: OldState | undefined;
  for (const path of isThere ? [own, ...given] : given) {
    const found = await readStateFile(path, parseNebulaState);
    if (state === undefined || compareHrs(found.watermark, state.found.watermark) > 0) state = { file: path, found };
  }
  return { state, notes };
}

/** It stays as it was when the cluster was started first, years ago perhaps. */
async function checkNotInitial(path: string, keeps: NebulaState, startedIn: string): Promise<void> {
  if (keeps.kind !== 'raft') return;
  const initial = resolve(startedIn, keeps.initialStatePath);
  const same = path === initial || (await realPath(path)) === (await realPath(initial));
  if (!same) return;
  throw new HekateError(
    'STATE_IMPORT_INVALID',
    `${path} is the initial_state_path of nebula, not what was signed last`,
    {
      fix: 'give --rpc with a node of the chain, or --height with a height at or above everything this key signed',
    },
  );
}

/** A path that leads nowhere is its own. */
function realPath(path: string): Promise<string> {
  return fsp.realpath(path).catch(() => path);
}

function inDatabase(dataPath: string, hasOther: boolean): string {
  const where = `what nebula signed last is in a RocksDB, ${dataPath}, which hekate cannot read`;
  if (hasOther) return `${where}: that the state which was given is no older is not shown`;
  return (
    `${where}: give --rpc or --height, or as --state a file with {"height":H,"round":R,"step":"Precommit"} of the last line ` +
    '"applying normal entry" in the logs of its nodes'
  );
}

function notesOnCopies({ keeps }: NebulaConfig): readonly string[] {
  if (keeps.kind !== 'raft' || keeps.members < 2) return [];
  return [
    `each of the ${keeps.members} nodes of nebula has the whole key and a state: stop all of them, and destroy all copies in the end`,
  ];
}
