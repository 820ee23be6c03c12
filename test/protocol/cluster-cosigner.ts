import { assembleCosigner, COSIGNER_PARTS, type CosignerParts } from '../../cosigner/assembly.js';
import type { Cosigner } from '../../cosigner/cosigner.js';
import { createState } from '../../src/setup/state-init.js';
import type { CosignerMessage, LinkMessage, SignedReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { Group, Point, Scalar } from '../../src/shared/frost/group.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { recoverSlotFile } from '../../src/shared/watermark/state-file.js';
import { neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import type { Checker } from '../sim/checker.js';
import { wallOf } from '../support/manual-clock.js';
import { doneAfter, MemoryDisk } from '../support/memory-disk.js';
import { MemoryRunFolder } from '../support/memory-run-folder.js';
import { testKeys } from '../support/test-keys.js';
import { CHAIN } from './votes.js';

const WRITE_MS = 0.2;

export interface ClusterCosignerOptions {
  readonly id: number;
  readonly others: readonly number[];
  readonly threshold: number;
  readonly groupPublicKey: Point;
  readonly secretShare: Scalar;
  readonly maxHeightJump: bigint;
  readonly maxHeightsPerSecond: number;
}

export interface ClusterCosignerDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly checker: Checker;
  readonly onFault: (error: unknown) => void;
}

/** A cosigner's host: the disk lasts, the process comes and goes. Everything that leaves it is shown to the checker. */
export class ClusterCosigner {
  readonly id: number;
  readonly disk: MemoryDisk;
  runFolder = new MemoryRunFolder();
  process: Cosigner | undefined;
  /** Of its next start: somebody who took it over has others. */
  parts: CosignerParts = COSIGNER_PARTS;
  /** Told of every share that leaves on a wire, before the checker is. */
  shareSeen: (request: SignRequest, reply: SignedReply) => void = () => undefined;
  readonly #options: ClusterCosignerOptions;
  readonly #deps: ClusterCosignerDeps;

  constructor(options: ClusterCosignerOptions, deps: ClusterCosignerDeps) {
    this.id = options.id;
    this.disk = new MemoryDisk(doneAfter(deps.clock, WRITE_MS));
    this.#options = options;
    this.#deps = deps;
  }

  async createState(): Promise<void> {
    await createState(this.disk, 'state', this.#binding(), neverSigned());
  }

  async start(): Promise<void> {
    const { id, others, threshold, groupPublicKey, secretShare, ...limits } = this.#options;
    const { group, clock, random, log, onFault } = this.#deps;
    const key = { chainId: CHAIN, threshold, groupPublicKey, secretShare: structuredClone(secretShare) };
    const { disk, runFolder } = this;
    const outside = { disk, runFolder, removeRunFile: runFolder.removeRunFile };
    const { cosigner } = await assembleCosigner(
      { id, others, version: 'test', chains: [{ ...key, ...limits, statePath: 'state', sitsOut: true }] },
      {
        group,
        keys: testKeys(id),
        ...outside,
        clock,
        wallSecond: wallOf(clock),
        random,
        publicRandom: random,
        log,
        onFault,
      },
      this.parts,
    );
    this.process = cosigner;
  }

  /** The process is killed; its wires are the cluster's to break. */
  kill(): void {
    this.process = undefined;
    this.disk.kill();
    this.runFolder.kill();
  }

  /** What the state file would say after a power cut now. */
  durable(): Watermark {
    return recoverSlotFile(this.disk.file('state'), this.#binding(), 'state').watermark;
  }

  sent(message: CosignerMessage, requests: readonly LinkMessage[]): void {
    if (message.kind !== 'signed') return;
    const asked = (one: LinkMessage): one is SignRequest => one.kind === 'signRequest' && one.id === message.id;
    const request = must(requests.find(asked), 'a share answers a request');
    this.shareSeen(request, message);
    const durable = this.durable();
    const { checker } = this.#deps;
    checker.watermarkSeen(this.id, CHAIN, durable);
    checker.shareLeaves({ cosigner: this.id, request, reply: message, issued: undefined, durable });
  }

  #binding(): { readonly chainId: string; readonly groupPublicKey: Uint8Array } {
    return { chainId: CHAIN, groupPublicKey: this.#options.groupPublicKey };
  }
}
