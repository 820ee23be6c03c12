import { COSIGNER_PARTS, type CosignerParts } from '../../cosigner/assembly.js';
import { NoncePool, type IssuedNonces } from '../../cosigner/signing/nonce-pool.js';
import { createState } from '../../src/setup/state-init.js';
import { isHekateError } from '../../src/shared/errors.js';
import { encodeSlot, recoverSlotFile, slotOffset } from '../../src/shared/watermark/state-file.js';
import { neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import { wipe } from '../../src/shared/bytes.js';
import type { NodeServing } from '../../sentry-link/assembly.js';

/** Enough for a vote with its extension, and for another attempt; making nonces is what a run takes longest for. */
const NONCES = 6;

/** Production's parts, with fewer nonces. */
export const SIM_PARTS: CosignerParts = {
  ...COSIGNER_PARTS,
  noncePool: (generate, onDiscarded) => new NoncePool(generate, NONCES, onDiscarded),
};

/** Writes down what it signs, but never looks at it. */
export const forgetful: CosignerParts['openWatermark'] = async (disk, path, binding) => {
  const file = await disk.open(path);
  let { sequence, watermark } = recoverSlotFile(await disk.read(path), binding, path);
  let waiting = true;
  const write = async (next: Watermark): Promise<void> => {
    // What it hears from others is above what it shows, and below what it wrote.
    if (next.signBytes === undefined || next.height === 0n) return;
    sequence++;
    await file.write(slotOffset(sequence), encodeSlot(binding, sequence, next));
    watermark = next;
  };
  return {
    get current() {
      return { ...neverSigned(), signBytes: watermark.signBytes };
    },
    get sequence() {
      return sequence;
    },
    halted: undefined,
    get waiting() {
      return waiting;
    },
    advance: write,
    endWait: async (next) => {
      waiting = false;
      await write(next);
    },
    close: () => file.close(),
  };
};

/** Where there is no state, it makes one. */
export const careless: CosignerParts['openWatermark'] = async (disk, path, binding, begin) => {
  try {
    return await COSIGNER_PARTS.openWatermark(disk, path, binding, begin);
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'STATE_MISSING') throw error;
    await createState(disk, path, binding, neverSigned());
    return COSIGNER_PARTS.openWatermark(disk, path, binding, begin);
  }
};

/** Pairs stay where they are when they are taken. */
export class KeepingPool extends NoncePool {
  readonly #kept = new Map<number, IssuedNonces>();

  constructor(generate: () => IssuedNonces, onDiscarded: () => void) {
    super(generate, NONCES, onDiscarded);
  }

  override take(nonceId: number): IssuedNonces | undefined {
    const issued = this.#kept.get(nonceId) ?? super.take(nonceId);
    if (issued === undefined) return undefined;
    this.#kept.set(nonceId, issued);
    return { nonces: structuredClone(issued.nonces), commitment: issued.commitment };
  }

  override close(): void {
    super.close();
    for (const { nonces } of this.#kept.values()) wipe(nonces.hiding, nonces.binding);
  }
}

/** A link that lost its lease keeps its connections to nodes. */
export function neverClosing(service: NodeServing): NodeServing {
  return {
    open: () => service.open(),
    close: () => undefined,
    retire: () => Promise.resolve(),
    status: () => service.status(),
    reaches: (chainId) => service.reaches(chainId),
    use: (node, chainId) => service.use(node, chainId),
  };
}
