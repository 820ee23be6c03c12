import {
  assembleLink,
  LINK_PARTS,
  type AssembledLink,
  type LinkPorts,
  type NodeServing,
} from '../../sentry-link/assembly.js';
import type { CosignerHandlers } from '../../sentry-link/cosigners/cosigner-client.js';
import type { ConnectToNode } from '../../sentry-link/node/dialler.js';
import { DEFAULT_NODE_PATIENCE } from '../../sentry-link/node/node-arbiter.js';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';
import type { ChainReport } from '../../src/shared/coordination/messages.js';
import { isHekateError } from '../../src/shared/errors.js';
import type { Group } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog, type Log } from '../../src/shared/ports/log.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { compareHrs } from '../../src/shared/watermark/watermark.js';
import type { CheckedChain, Checker, RuleName } from './checker.js';
import type { Coverage } from './coverage.js';
import { FINISH_MS } from '../../src/shared/process/lifecycle.js';
import { BEAT_MS } from '../../src/shared/process/parent-channel.js';
import type { Prng } from './prng.js';
import { ProcessClock, type Stop } from './process-clock.js';
import { SimWatcher } from './sim-watcher.js';
import { WatchJudge } from './watch-judge.js';
import { ServedJudge } from './served-judge.js';
import { WatchedNodes } from './watched-nodes.js';

export interface SimLinkChain extends CheckedChain {
  readonly nodes: readonly string[];
}

export interface SimLinkOptions {
  readonly name: string;
  readonly cosigners: readonly number[];
  readonly chains: readonly SimLinkChain[];
  /** Its process has a watcher. */
  readonly watched: boolean;
  /** What serves the nodes, in place of production's. */
  readonly serving: (production: NodeServing) => NodeServing;
}

export interface SimLinkDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: Prng;
  readonly checker: Checker;
  readonly coverage: Coverage;
  readonly onFault: (error: unknown) => void;
  /** Its watcher has killed it. */
  readonly killed: (link: SimLink) => void;
  readonly trace: (event: string) => void;
  /** Dials a node by name on behalf of this link. */
  readonly connect: (link: SimLink, node: string, abort: AbortSignal) => ReturnType<ConnectToNode>;
  readonly connectCosigner: (
    link: SimLink,
    ...which: Parameters<LinkPorts['connectCosigner']>
  ) => ReturnType<LinkPorts['connectCosigner']>;
}

/** A sentry-link's host: its newest signatures last, unless that file is lost; its process comes and goes. */
export class SimLink {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly #options: SimLinkOptions;
  readonly #deps: SimLinkDeps;
  readonly #proofs = new Map<string, Proof>();
  readonly #watcher: SimWatcher | undefined;
  readonly #judge: WatchJudge;
  #process: AssembledLink | undefined;
  #nodes: NodeServing | undefined;

  constructor(options: SimLinkOptions, deps: SimLinkDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#judge = new WatchJudge(options.name, deps.clock, (holds, why) => this.#demand('watched', holds, why));
    if (options.watched)
      this.#watcher = new SimWatcher(
        deps.clock,
        () => this.#deps.killed(this),
        () => this.#startAgain(),
      );
    this.clock = new ProcessClock(deps.clock, this.#watcher?.clock);
  }

  get runs(): boolean {
    return this.#process !== undefined;
  }

  /** By hand, or by what supervises it. */
  start(): void {
    if (!this.runs) this.#judge.excused();
    this.#run();
  }

  #startAgain(): void {
    this.#judge.started();
    this.#run();
  }

  #run(): void {
    if (this.#process !== undefined) return;
    const { name, cosigners } = this.#options;
    const { group, random, trace, connect, connectCosigner, coverage } = this.#deps;
    const chains = this.#options.chains.map(({ chainId, threshold, key, nodes }) => ({
      ...{ chainId, threshold, key, mode: 'active' as const },
      nodes: nodes.map((node) => parseNodeAddress(`${node}:1`)),
    }));
    const note = (event: string, fields: object = {}): void => {
      if (!/^(signed|refused) /.test(event)) coverage.note(`link says ${event}`);
      if (event.startsWith('lease ')) trace(`${name}: ${event} ${JSON.stringify(fields)}`);
    };
    const watched = new WatchedNodes(this.clock, this.#judges());
    const log: Log = { ...silentLog, info: note, error: note, warn: note };
    this.#process = assembleLink(
      { name, chains, cosigners, leaseMs: 1_000, signDeadlineMs: 4_000 },
      {
        ...{ group, clock: this.clock, random: random.bytes, log },
        proofs: {
          load: (chainId) => this.#proofs.get(chainId),
          save: (proof) => void this.#proofs.set(proof.chainId, proof),
        },
        connectNode: (address, abort) =>
          connect(this, address.transport === 'tcp' ? address.host : address.path, abort).then((channel) =>
            watched.channel(address, channel),
          ),
        connectCosigner: (id, handlers) => connectCosigner(this, id, this.#watched(id, handlers)),
      },
      {
        nodeService: (served, deps) => {
          const production = LINK_PARTS.nodeService(served, { ...deps, sign: watched.sign(deps.sign) });
          this.#nodes = watched.service(production);
          return this.#options.serving(this.#nodes);
        },
      },
    );
    this.#process.start();
    this.#watcher?.started();
    this.#beat();
  }

  #beat(): void {
    this.#watcher?.beat();
    this.clock.schedule(BEAT_MS, () => this.#beat());
  }

  stop(what: Stop): void {
    this.clock.stop(what);
    if (what !== 'process') this.#judge.excused();
    else if (this.#watcher !== undefined) this.#judge.stopped();
  }

  goOn(): void {
    this.clock.goOn();
    this.#judge.goesOn();
  }

  setRate(rate: number, wild: boolean): void {
    this.clock.setRate(rate);
    if (wild) this.#judge.clockIsOff();
  }

  /** By chain; of one process. */
  #judges(): ReadonlyMap<string, ServedJudge> {
    const { coverage } = this.#deps;
    return new Map(
      this.#options.chains.map(({ chainId }) => [
        chainId,
        new ServedJudge({
          patience: DEFAULT_NODE_PATIENCE,
          noteCoverage: (what) => coverage.note(`node served: ${what}`),
          demand: (holds, why) => this.#demand('node-served', holds, `${this.name}: ${why}`),
        }),
      ]),
    );
  }

  /** Whatever a cosigner reports, its falls are counted (docs/invariants.md, W9). */
  #watched(id: number, handlers: CosignerHandlers): CosignerHandlers {
    const seen = new Map<string, ChainReport>();
    let falls = 0;
    const watch = (reports: readonly ChainReport[]): void => {
      for (const report of reports) {
        const before = seen.get(report.chainId);
        if (report.halted !== undefined && report.sequence === 0n) continue;
        seen.set(report.chainId, report);
        if (before !== undefined && compareHrs(report, before) < 0) falls++;
      }
      const counted = [...(this.#process?.link.peers() ?? [])].find((peer) => peer.id === id)?.chains.falls;
      if (falls > 0) this.#deps.coverage.note('link sees a fall');
      const why = `${this.name} saw the watermark of cosigner ${id} fall ${falls} times, and counted ${counted}`;
      this.#demand('falls-counted', counted === undefined || counted === falls, why);
    };
    return {
      newest: () => handlers.newest(),
      connected: (hello, outgoing) => {
        handlers.connected(hello, outgoing);
        watch(hello.chains);
      },
      message: (message) => {
        handlers.message(message);
        if (message.kind === 'heartbeatReply') watch(message.chains);
      },
      passedOver: (count) => handlers.passedOver(count),
      disconnected: (reason) => handlers.disconnected(reason),
      dialFailed: (...why) => handlers.dialFailed(...why),
    };
  }

  #demand(rule: RuleName, holds: boolean, why: string): void {
    try {
      this.#deps.checker.demand(rule, holds, why);
    } catch (error) {
      this.#deps.onFault(error);
    }
  }

  /** It is told to end, and does what it does then; `ended` when it is gone, unless something else ended it meanwhile. */
  end(ended: () => void): void {
    const told = this.#process;
    if (told === undefined) return;
    this.clock.arrive(() => {
      void told.retire(FINISH_MS).then(async () => {
        if (this.#process !== told) return;
        await told.stop();
        if (this.#process === told) ended();
      });
    });
  }

  /** An operator hands the lease over to a link that is ready. Whether there is anything to hand over, and to whom. */
  transfer(): boolean {
    const link = this.#process;
    const [to] = link?.link.candidate.standbys() ?? [];
    if (link === undefined || to === undefined || link.link.candidate.term() === undefined) return false;
    this.clock.arrive(() => void link.handOver(to, FINISH_MS));
    return true;
  }

  /** An operator chooses that node; what is said of it. */
  useNode(node: string, chainId: string): void {
    if (this.#process?.link.candidate.term() === undefined) return;
    this.clock.arrive(() => {
      const { coverage, trace } = this.#deps;
      try {
        this.#nodes?.use(node, chainId);
        trace(`${this.name}: an operator chooses ${node}`);
      } catch (error) {
        if (!isHekateError(error)) throw error;
        coverage.note(`operator: uses a node, ${error.code}`);
      }
    });
  }

  /** The process dies; its connections to nodes end with it. `loses`: and its newest signatures. */
  crash(loses: boolean): void {
    this.#watcher?.ended();
    this.#judge.ended();
    this.#die();
    if (loses) this.#proofs.clear();
  }

  /** As its watcher, which starts it again. */
  kill(): void {
    this.#judge.killed();
    this.#die();
  }

  #die(): void {
    this.#nodes?.close();
    void this.#process?.stop();
    this.#process = undefined;
    this.#nodes = undefined;
    this.clock.kill();
  }
}
