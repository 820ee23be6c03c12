import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../setup/json-object.js';
import { newerFile } from '../shared/home/newer-file.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { readSmallText } from './read-small-text.js';
import { PLAN_FILE } from './dev-cluster.js';

const MAX_PLAN_BYTES = 4096;
const VERSION = 1;

/** What a folder was made for (dev.json); a later run must want the same. */
export interface DevPlan {
  readonly chainId: string;
  /** Where the links dial: the model node's address, or the real one's. */
  readonly node: string;
  readonly model: boolean;
  /** Whether the key came from --key. Undefined: an older version made the folder and did not say. */
  readonly keyGiven: boolean | undefined;
  /** Base64: the key that was dealt here. Undefined as before. */
  readonly publicKey: string | undefined;
}

export async function writePlan(dir: string, plan: DevPlan): Promise<void> {
  await writeFile(join(dir, PLAN_FILE), JSON.stringify({ version: VERSION, ...plan }), { flag: 'wx' });
}

/** The plan of a folder, or what is wrong with it. Throws FILE_VERSION for one that a newer release wrote. */
export async function readPlan(dir: string, chainId: string): Promise<DevPlan | { readonly problem: string }> {
  const path = join(dir, PLAN_FILE);
  const stats = await lstat(path).catch((error: unknown) => {
    if (diskErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return { problem: `it has no ${PLAN_FILE}` };
  if (!stats.isFile()) return { problem: `its ${PLAN_FILE} is not a plain file` };
  if (stats.size > MAX_PLAN_BYTES) return { problem: `its ${PLAN_FILE} has ${stats.size} bytes` };
  const plan = parse((await readSmallText(path)) ?? '', path);
  if (plan === undefined) return { problem: `its ${PLAN_FILE} is not what \`hekate dev\` writes` };
  return plan.chainId === chainId ? plan : { problem: `its ${PLAN_FILE} is of another chain` };
}

/** A plan without a version is one of an older release. */
function parse(text: string, path: string): DevPlan | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { version = VERSION, chainId, node, model, keyGiven, publicKey } = value;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return undefined;
  if (version > VERSION) throw newerFile(path, version, VERSION);
  if (typeof chainId !== 'string' || typeof node !== 'string' || typeof model !== 'boolean') return undefined;
  if (model && !isModelAddress(node)) return undefined;
  return {
    chainId,
    node,
    model,
    keyGiven: typeof keyGiven === 'boolean' ? keyGiven : undefined,
    publicKey: typeof publicKey === 'string' ? publicKey : undefined,
  };
}

/** Where we let the model node listen. */
function isModelAddress(node: string): boolean {
  const port = /^tcp:\/\/127\.0\.0\.1:([1-9]\d{0,4})$/.exec(node)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}
