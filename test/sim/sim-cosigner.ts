import { ChainSigner, type WatermarkPort } from '../../cosigner/signing/chain-signer.js';
import { Cosigner } from '../../cosigner/cosigner.js';
import { NoncePool, type IssuedNonces } from '../../cosigner/signing/nonce-pool.js';
import type { Group } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { encodeSlot, recoverSlotFile, slotOffset } from '../../src/shared/watermark/slot-file.js';
import type { StateBinding } from '../../src/shared/watermark/slot-record.js';
import { WatermarkStore } from '../../src/shared/watermark/store.js';
import { neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import type { MemoryDisk } from '../support/memory-disk.js';
import { randomTear } from './disk-faults.js';
import type { Break } from './faults.js';
import type { Prng } from './prng.js';

const STATE_PATH = 'state';

export interface SimCosignerOptions {
  readonly id: number;
  readonly chainId: string;
  readonly threshold: number;
  readonly groupPublicKey: Uint8Array;
  readonly secretShare: Uint8Array;
  readonly broken: Break | undefined;
}

export interface SimCosignerDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly disk: MemoryDisk;
  /** Of the disk's faults. */
  readonly diskRandom: Prng;
  readonly random: Prng;
  readonly onFault: (error: unknown) => void;
}

/** A cosigner's host: its disk lasts, its process comes and goes. */
export class SimCosigner {
  readonly id: number;
  readonly #options: SimCosignerOptions;
  readonly #deps: SimCosignerDeps;
  #process: Cosigner | undefined;
  #store: WatermarkPort | undefined;
  #incarnation = 0;
  #starting = false;

  constructor(options: SimCosignerOptions, deps: SimCosignerDeps) {
    this.id = options.id;
    this.#options = options;
    this.#deps = deps;
  }

  get process(): Cosigner | undefined {
    return this.#process;
  }

  get halted(): boolean {
    return this.#store?.halted !== undefined;
  }

  async createState(): Promise<void> {
    await WatermarkStore.create(this.#deps.disk, STATE_PATH, this.#binding(), neverSigned());
  }

  /** What the state file would say after a power cut now. */
  durableWatermark(): Watermark {
    return recoverSlotFile(this.#deps.disk.file(STATE_PATH), this.#binding(), STATE_PATH).watermark;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined || this.#starting) return;
    this.#starting = true;
    const incarnation = ++this.#incarnation;
    const { clock, group, random, onFault } = this.#deps;
    const { id, chainId, threshold, groupPublicKey, secretShare, broken } = this.#options;
    const store: WatermarkPort =
      broken === 'watermark'
        ? await forgetful(this.#deps.disk, this.#binding())
        : await WatermarkStore.open(this.#deps.disk, STATE_PATH, this.#binding());
    if (incarnation !== this.#incarnation) return;
    this.#starting = false;
    this.#store = store;
    const signer = new ChainSigner(
      {
        chainId,
        id,
        threshold,
        groupPublicKey,
        secretShare: secretShare.slice(),
        maxHeightJump: 100_000n,
        maxHeightsPerSecond: undefined,
        noncePoolTarget: 8,
      },
      {
        group,
        watermark: store,
        clock,
        random: random.bytes,
        log: silentLog,
      },
    );
    if (broken === 'nonce-once') useNoncesAgain(signer);
    this.#process = new Cosigner({ id, version: 'sim', leaseCapMs: 1_000 }, [signer], {
      clock,
      log: silentLog,
      onFault,
    });
  }

  /** Power cut. */
  crash(): void {
    this.#incarnation++;
    this.#starting = false;
    this.#process = undefined;
    this.#store = undefined;
    this.#deps.disk.powerCut(randomTear(this.#deps.diskRandom));
  }

  #binding(): StateBinding {
    const { chainId, groupPublicKey } = this.#options;
    return { chainId, groupPublicKey };
  }
}

/** --break watermark: writes down what it signs, but never looks at it. */
async function forgetful(disk: MemoryDisk, binding: StateBinding): Promise<WatermarkPort> {
  const file = await disk.open(STATE_PATH);
  let signBytes = new Uint8Array(0);
  let { sequence } = recoverSlotFile(disk.file(STATE_PATH), binding, STATE_PATH);
  return {
    get current() {
      return { ...neverSigned(), signBytes };
    },
    get sequence() {
      return sequence;
    },
    halted: undefined,
    async advance(next) {
      sequence++;
      await file.write(slotOffset(sequence), encodeSlot(binding, sequence, next));
      signBytes = next.signBytes.slice();
    },
  };
}

/** --break nonce-once: pairs stay where they are when they are taken. */
function useNoncesAgain(signer: ChainSigner): void {
  const make = signer.newNoncePool.bind(signer);
  signer.newNoncePool = () => {
    const pool = make();
    const kept = new Map<number, IssuedNonces>();
    const take = pool.take.bind(pool);
    pool.take = (nonceId) => {
      const issued = kept.get(nonceId) ?? take(nonceId);
      if (issued === undefined) return undefined;
      kept.set(nonceId, issued);
      const copy = { hiding: issued.nonces.hiding.slice(), binding: issued.nonces.binding.slice() };
      return { nonces: copy, commitment: issued.commitment } satisfies IssuedNonces;
    };
    return pool satisfies NoncePool;
  };
}
