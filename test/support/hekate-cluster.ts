import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { parseEvent, readEvents, type LogEvent } from './log-events.js';
import { freePorts } from './ports.js';
import { TestProcess, tailOf } from './processes.js';
import { HEKATE_MAIN } from './project.js';

/** A node that starts needs half a second; a machine that is busy with other things may need much longer. */
const READY_MS = 30_000;

export interface ClusterOptions {
  /** Below it: one home per process, as `hekate init` makes them, and the logs. */
  readonly folder: string;
  readonly chainId: string;
  /** Where the node waits for its signer. */
  readonly nodeAddress: string;
  readonly keyFile: string;
  readonly cosigners?: number;
  readonly threshold?: number;
  readonly links?: number;
  /** Default: any, as tests race through heights. */
  readonly maxHeightsPerSecond?: number;
  /** See ProcessOptions.unwatched. */
  readonly unwatched?: boolean;
  /** See ProcessOptions.fifo; of one process. */
  readonly fifo?: (name: string) => boolean;
  /** Folder of the logs, when not that of the homes. */
  readonly logs?: string;
  /** Links with their watcher, as an operator starts them: `pid` is the watcher's then. */
  readonly watched?: boolean;
  /** Options of Node for one process. */
  readonly nodeArgs?: (name: string) => readonly string[];
  /** Environment of one process, on top of ours. */
  readonly env?: (name: string) => Readonly<Record<string, string>>;
  /** What is put before the command line of one process, which it must end up executing. */
  readonly wrap?: (name: string) => readonly string[];
  /** Where one process logs, instead of `NAME.log` beside its home. */
  readonly logFile?: (name: string) => string | undefined;
  /** See ProcessOptions.output. */
  readonly output?: (name: string) => number | undefined;
}

type ProcessSurroundings = Pick<
  ClusterOptions,
  'unwatched' | 'fifo' | 'logs' | 'watched' | 'nodeArgs' | 'env' | 'wrap' | 'logFile' | 'output'
>;

/** One process of a cluster: a home folder and, while it runs, a child. */
export class HekateProcess {
  readonly home: string;
  readonly logFile: string;
  private child: TestProcess | undefined;

  constructor(
    readonly name: string,
    private readonly role: 'cosigner' | 'sentry-link',
    folder: string,
    private readonly options: ProcessSurroundings = {},
  ) {
    this.home = join(folder, name);
    this.logFile = options.logFile?.(name) ?? join(options.logs ?? folder, `${name}.log`);
  }

  get running(): boolean {
    return this.child?.running ?? false;
  }

  get pid(): number {
    if (!this.child) throw new Error(`${this.name} was never started`);
    return this.child.pid;
  }

  /** Resolves once it says that it is ready. */
  async start(): Promise<void> {
    if (this.running) throw new Error(`${this.name} runs already`);
    const { unwatched = false, fifo, watched = false, nodeArgs, env, wrap } = this.options;
    const output = this.options.output?.(this.name);
    const alone = this.role === 'sentry-link' && !watched ? ['--no-watcher'] : [];
    const start = [HEKATE_MAIN, this.role, 'start', '--home', this.home, '--log-format', 'json', ...alone];
    const line = [...(wrap?.(this.name) ?? []), process.execPath, ...(nodeArgs?.(this.name) ?? []), ...start];
    const [command = '', ...args] = line;
    this.child = new TestProcess({
      ...{ name: this.name, command, args, logFile: this.logFile, unwatched, env: env?.(this.name) ?? {} },
      fifo: fifo?.(this.name) ?? false,
      ...(output !== undefined && { output }),
    });
    if (unwatched || output !== undefined) await this.untilReadyInFile(this.child);
    else await this.child.waitForLine('ready', (line) => parseEvent(line)?.event === 'ready', READY_MS);
  }

  private async untilReadyInFile(child: TestProcess): Promise<void> {
    const readies = (): number => this.events().filter(({ event }) => event === 'ready').length;
    const before = readies();
    const look = (): 'ready' | 'ended' | undefined =>
      readies() > before ? 'ready' : child.running ? undefined : 'ended';
    if ((await eventually(`${this.name} is ready`, READY_MS, look, 5)) === 'ended')
      throw new Error(`${this.name} ended:\n${tailOf(this.logFile)}`);
  }

  /** SIGTERM. Resolves with the exit code, null when it had to be killed. */
  async stop(): Promise<number | null> {
    return (await this.child?.stop())?.code ?? null;
  }

  /** SIGKILL. */
  async crash(): Promise<void> {
    await this.child?.crash();
  }

  /** Resolves once it has ended, by whatever. */
  async ended(): Promise<void> {
    await this.child?.exited;
  }

  pauseOutput(): void {
    this.child?.pauseOutput();
  }

  resumeOutput(): void {
    this.child?.resumeOutput();
  }

  /** The last start's own id: of a link that has a watcher, not that one's. */
  get loopPid(): number {
    return Number(this.events().findLast(({ event }) => event === 'ready')?.['pid']);
  }

  events(): LogEvent[] {
    return readEvents(this.logFile);
  }
}

/** Cosigners and sentry-links as an operator has them: made by `hekate init`, each a process of its own. */
export class HekateCluster {
  private constructor(
    readonly cosigners: readonly HekateProcess[],
    readonly links: readonly HekateProcess[],
    /** Of the cosigners, on 127.0.0.1. */
    readonly ports: readonly number[],
    /** What `hekate init` made: the folder of all homes. */
    readonly folder: string,
  ) {}

  static async create(options: ClusterOptions): Promise<HekateCluster> {
    const { cosigners = 3, threshold = 2, links = 2, maxHeightsPerSecond = 0 } = options;
    const ports = await freePorts(cosigners);
    const folder = join(options.folder, 'hekate');
    const args = [
      ...[HEKATE_MAIN, 'init', folder],
      ...['--chain-id', options.chainId, '--node', options.nodeAddress],
      ...['--key', options.keyFile, '--never-signed', '--threshold', String(threshold)],
      ...ports.flatMap((port) => ['--cosigner', `127.0.0.1:${port}`]),
      ...['--links', String(links), '--max-heights-per-second', String(maxHeightsPerSecond)],
    ];
    await promisify(execFile)(process.execPath, args);
    const make = (role: 'cosigner' | 'sentry-link', count: number): HekateProcess[] =>
      Array.from({ length: count }, (_, i) => new HekateProcess(`${role}-${i + 1}`, role, folder, options));
    return new HekateCluster(make('cosigner', cosigners), make('sentry-link', links), ports, folder);
  }

  get processes(): readonly HekateProcess[] {
    return [...this.cosigners, ...this.links];
  }

  /** Resolves when no cosigner waits for the others any more. */
  async start(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.start()));
    await this.untilNoneWaits();
  }

  /** Every cosigner that runs and can hear enough of the others signs. */
  async untilNoneWaits(): Promise<void> {
    await eventually('no cosigner waits for the others', READY_MS, () => {
      return this.cosigners.some((cosigner) => cosigner.running && waits(cosigner.events())) ? undefined : true;
    });
  }

  /** The running link that took the lease last and has not said that it lost it. */
  leader(timeoutMs = 10_000): Promise<HekateProcess> {
    return eventually('a leading link', timeoutMs, () =>
      this.links.find((link) => link.running && leads(link.events())),
    );
  }

  /** Ends every process; with SIGKILL where SIGTERM is not enough. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
  }
}

/** One that goes on at once says nothing of it. */
function waits(events: readonly LogEvent[]): boolean {
  const last = new Map<unknown, string>();
  for (const { event, ['chain']: chain } of events) if (WAITS.has(event)) last.set(chain, event);
  return [...last.values()].includes(BEGINS_TO_WAIT);
}

const BEGINS_TO_WAIT = 'waits until it has heard the others';
const WAITS: ReadonlySet<string> = new Set([
  BEGINS_TO_WAIT,
  'waits no longer: signs',
  'signs on: this height was sat out',
]);

/** A restarted process begins anew, so only events after its last "ready" count. */
function leads(events: readonly LogEvent[]): boolean {
  const last = events.findLast(
    ({ event }) => event === 'ready' || event === 'lease acquired' || event === 'lease lost',
  );
  return last?.event === 'lease acquired';
}
