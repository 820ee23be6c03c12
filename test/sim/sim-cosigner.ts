import {
  assembleCosigner,
  COSIGNER_PARTS,
  type AssembledCosigner,
  type CosignerParts,
} from '../../cosigner/assembly.js';
import type { Cosigner } from '../../cosigner/cosigner.js';
import { NoncePool, type IssuedNonces } from '../../cosigner/signing/nonce-pool.js';
import { NONCE_POOL_TARGET } from '../../src/shared/coordination/limits.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Group, Point, Scalar } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { createState } from '../../src/setup/state-init.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../../src/shared/watermark/rules.js';
import { encodeSlot, recoverSlotFile, slotOffset } from '../../src/shared/watermark/state-file.js';
import type { StateBinding } from '../../src/shared/watermark/slot-record.js';
import { neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import { wallOf } from '../support/manual-clock.js';
import type { MemoryDisk } from '../support/memory-disk.js';
import { MemoryRunFolder } from '../support/memory-run-folder.js';
import { testKeys } from '../support/test-keys.js';
import { randomTear } from './disk-faults.js';
import type { Break } from './faults.js';
import type { Prng } from './prng.js';

const STATE_PATH = 'state';

export interface SimCosignerOptions {
  readonly id: number;
  /** Ids of all. */
  readonly others: readonly number[];
  readonly chainId: string;
  readonly threshold: number;
  readonly groupPublicKey: Point;
  readonly secretShare: Scalar;
  readonly broken: Break | undefined;
  /** Whoever asks is served: nothing but the watermarks keeps two leaders apart. */
  readonly admitsAll: () => boolean;
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
  #process: AssembledCosigner | undefined;
  readonly #runFolder = new MemoryRunFolder();
  #incarnation = 0;
  #starting = false;
  #durable: { readonly contents: Uint8Array; readonly watermark: Watermark } | undefined;

  constructor(options: SimCosignerOptions, deps: SimCosignerDeps) {
    this.id = options.id;
    this.#options = options;
    this.#deps = deps;
  }

  get process(): Cosigner | undefined {
    return this.#process?.cosigner;
  }

  /** Why its chain takes no more requests. */
  get halted(): ErrorCode | undefined {
    return this.process?.report().find(({ halted }) => halted !== undefined)?.halted;
  }

  async createState(): Promise<void> {
    await createState(this.#deps.disk, STATE_PATH, this.#binding(), neverSigned());
  }

  /** What the state file would say after a power cut now. */
  durableWatermark(): Watermark {
    const contents = this.#deps.disk.file(STATE_PATH);
    // Asked at every turn of the world, and seldom another file than before.
    if (this.#durable === undefined || Buffer.compare(this.#durable.contents, contents) !== 0) {
      const { watermark } = recoverSlotFile(contents, this.#binding(), STATE_PATH);
      this.#durable = { contents: contents.slice(), watermark };
    }
    return this.#durable.watermark;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined || this.#starting) return;
    this.#starting = true;
    const incarnation = ++this.#incarnation;
    const { clock, disk, group, random, onFault } = this.#deps;
    const { id, others, chainId, threshold, groupPublicKey, secretShare, broken } = this.#options;
    const chain = {
      ...{ chainId, threshold, groupPublicKey, secretShare: structuredClone(secretShare), statePath: STATE_PATH },
      ...{ maxHeightJump: DEFAULT_MAX_HEIGHT_JUMP, maxHeightsPerSecond: 0, sitsOut: true },
    };
    const assembled = await assembleCosigner(
      { id, others: others.filter((other) => other !== id), version: 'sim', chains: [chain] },
      {
        ...{
          group,
          disk,
          runFolder: this.#runFolder,
          removeRunFile: this.#runFolder.removeRunFile,
          keys: testKeys(id),
          clock,
          wallSecond: wallOf(clock),
        },
        ...{ random: random.bytes, publicRandom: random.bytes, log: silentLog, onFault },
      },
      partsWithout(broken),
    );
    if (incarnation !== this.#incarnation) return;
    this.#starting = false;
    const { leases } = assembled.cosigner;
    const admits = leases.admits.bind(leases);
    leases.admits = (...asked) => this.#options.admitsAll() || admits(...asked);
    this.#process = assembled;
  }

  /** Power cut. */
  crash(): void {
    this.#incarnation++;
    this.#starting = false;
    this.#process = undefined;
    this.#runFolder.kill();
    this.#deps.disk.powerCut(randomTear(this.#deps.diskRandom));
  }

  #binding(): StateBinding {
    const { chainId, groupPublicKey } = this.#options;
    return { chainId, groupPublicKey };
  }
}

/** Production's parts, but for the rule that is switched off. */
function partsWithout(broken: Break | undefined): CosignerParts {
  if (broken === 'watermark') return { ...COSIGNER_PARTS, openWatermark: forgetful };
  if (broken === 'nonce-once') return { ...COSIGNER_PARTS, noncePool: (generate) => new KeepingPool(generate) };
  return COSIGNER_PARTS;
}

/** --break watermark: writes down what it signs, but never looks at it. */
const forgetful: CosignerParts['openWatermark'] = async (disk, path, binding) => {
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

/** --break nonce-once: pairs stay where they are when they are taken. */
class KeepingPool extends NoncePool {
  readonly #kept = new Map<number, IssuedNonces>();

  constructor(generate: () => IssuedNonces) {
    super(generate, NONCE_POOL_TARGET);
  }

  override take(nonceId: number): IssuedNonces | undefined {
    const issued = this.#kept.get(nonceId) ?? super.take(nonceId);
    if (issued === undefined) return undefined;
    this.#kept.set(nonceId, issued);
    return { nonces: structuredClone(issued.nonces), commitment: issued.commitment };
  }
}
