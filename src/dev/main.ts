import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { isHekateError, messageOf } from '../shared/errors.js';
import { lockHome } from '../shared/process/home-lock.js';
import { describePlace } from '../shared/watermark/watermark.js';
import { COSIGNER_NAMES, COSIGNERS, HEIGHT_FILE, LINK_NAMES, LINKS, THRESHOLD } from './dev-cluster.js';
import { initWith, openDevHome, type DevHome } from './dev-home.js';
import type { DevOptions } from './dev-options.js';
import { DevProcess, RESTART_MS, type DevEvent } from './dev-process.js';
import { DevTally, summaryLine } from './dev-summary.js';
import { describeEvent } from './dev-view.js';
import { startModelNode, type RunningModelNode } from './model-node/start.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** Runs the local cluster until --blocks are made or Ctrl-C; resolves with the exit code when nothing of it is left. */
export async function startDev(options: DevOptions): Promise<number> {
  let stopped = false;
  // A folder is not left half made: what was begun is finished first.
  for (const signal of SIGNALS) process.on(signal, () => (stopped = true));
  const home = await openDevHome(options, initWith(MAIN));
  if (stopped) return 0;
  lockHome(home.dir);
  return new DevRun(options, home).run();
}

class DevRun {
  readonly #options: DevOptions;
  readonly #home: DevHome;
  readonly #tally = new DevTally();
  readonly #processes: readonly DevProcess[];
  #node: RunningModelNode | undefined;
  #end: (exitCode: number) => void = () => undefined;
  #ending = false;

  constructor(options: DevOptions, home: DevHome) {
    this.#options = options;
    this.#home = home;
    const names = [
      ...COSIGNER_NAMES.map((name) => ['cosigner', name] as const),
      ...LINK_NAMES.map((name) => ['sentry-link', name] as const),
    ];
    this.#processes = names.map(
      ([role, name]) =>
        new DevProcess({
          name,
          role,
          dir: home.dir,
          main: MAIN,
          onEvent: (event) => this.#onEvent(event),
          onStart: (started, pid) => this.#say(`${started} runs as process ${pid}`),
          onDeath: (died, how) => this.#say(`${died} ended (${how}); it is started again in ${RESTART_MS / 1000} s`),
        }),
    );
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    // npm passes a Ctrl-C on that the terminal has sent us already: the second one changes nothing.
    for (const signal of SIGNALS) process.on(signal, () => this.#end(0));
    const { dir, chainId, node, model } = this.#home;
    this.#say(`chain ${chainId}: ${THRESHOLD} of ${COSIGNERS} cosigners, ${LINKS} sentry-links; homes in ${dir}`);
    this.#say(model ? `model node at ${node}, a block a second` : `waiting for the node at ${node}`);
    if (model) await this.#startNode();
    await this.#start(this.#processes.slice(0, COSIGNERS));
    await this.#start(this.#processes.slice(COSIGNERS));
    const exitCode = await ended;
    await this.#stop();
    const summary = this.#tally.summary();
    this.#say(summaryLine(summary));
    if (this.#options.json === true) console.log(JSON.stringify(summary));
    return exitCode;
  }

  async #start(processes: readonly DevProcess[]): Promise<void> {
    for (const child of processes) child.start();
    await Promise.all(processes.map(({ ready }) => ready));
  }

  async #startNode(): Promise<void> {
    const { chainId, node, dir } = this.#home;
    const port = Number(node.slice(node.lastIndexOf(':') + 1));
    this.#node = await startModelNode({
      chainId,
      listen: { transport: 'tcp', host: '127.0.0.1', port },
      heightPath: join(dir, HEIGHT_FILE),
      events: {
        signed: ({ latencyMs }) => this.#tally.signed(latencyMs),
        missed: (ballot, reason) => {
          this.#tally.missed();
          this.#say(`missed ${describePlace(ballot)}: ${reason}`);
        },
        block: () => this.#tally.block(),
      },
    });
    this.#node.node.run(this.#options.blocks).then(
      () => this.#end(0),
      (error: unknown) => {
        this.#say(isHekateError(error) ? error.toLine() : messageOf(error));
        this.#end(1);
      },
    );
  }

  async #stop(): Promise<void> {
    this.#ending = true;
    await this.#node?.stop();
    // Links first: they give the lease back and close their streams in order.
    for (const child of [...this.#processes].reverse()) await child.stop();
  }

  #onEvent(event: DevEvent): void {
    if (!this.#home.model) this.#count(event);
    const line = describeEvent(event);
    if (line !== undefined && !this.#ending) this.#say(line);
  }

  /** Of a real node only the links' own logs tell what happened. */
  #count({ event, fields }: DevEvent): void {
    if (event.startsWith('signed ')) {
      this.#tally.signed(Number(fields['latencyMs']));
      if (event.startsWith('signed Precommit')) this.#tally.block();
      const { blocks } = this.#options;
      if (blocks !== undefined && this.#tally.blocks >= blocks) this.#end(0);
    } else if (event.startsWith('refused ')) this.#tally.missed();
  }

  #say(line: string): void {
    console.log(line);
  }
}
