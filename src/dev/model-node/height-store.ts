import { rename, writeFile } from 'node:fs/promises';
import { HekateError } from '../../shared/errors.js';
import { readSmallText } from '../read-small-text.js';

/** The last height that was committed, kept over restarts of the model node. */
export interface HeightStore {
  /** 0 for a new chain. */
  load(): Promise<bigint>;
  save(height: bigint): Promise<void>;
}

export function memoryHeight(height = 0n): HeightStore {
  let last = height;
  return {
    load: () => Promise.resolve(last),
    save: (next) => {
      last = next;
      return Promise.resolve();
    },
  };
}

/** In a JSON file of its own. `load` throws MODEL_STATE_INVALID when it is of another chain. */
export function heightFile(path: string, chainId: string): HeightStore {
  return {
    load: async () => {
      const text = await readSmallText(path);
      return text === undefined ? 0n : parse(text, path, chainId);
    },
    save: async (height) => {
      await writeFile(`${path}.new`, `${JSON.stringify({ chainId, height: height.toString() })}\n`);
      await rename(`${path}.new`, path);
    },
  };
}

function parse(text: string, path: string, chainId: string): bigint {
  const value = parseJson(text) as { chainId?: unknown; height?: unknown } | null | undefined;
  if (typeof value?.height !== 'string' || !/^[0-9]{1,18}$/.test(value.height) || value.chainId !== chainId)
    throw new HekateError('MODEL_STATE_INVALID', `${path} is not the height of a model node for chain ${chainId}`);
  return BigInt(value.height);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
