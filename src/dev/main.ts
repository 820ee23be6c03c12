import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { HekateError } from '../shared/errors.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { standardError, standardOutput } from '../shared/ports/standard-streams.js';
import { describePlace } from '../shared/watermark/watermark.js';
import { COSIGNER_NAMES, COSIGNERS, HEIGHT_FILE, LINK_NAMES, LINKS, THRESHOLD } from './dev-cluster.js';
import { devFolder, initWith, openDevHome, type DevHome } from './dev-home.js';
import { lockDev } from './dev-lock.js';
import type { DevOptions } from './dev-options.js';
import { DevProcess, type DevEvent } from './dev-process.js';
import { DevTally, summaryLine } from './dev-summary.js';
import { DevView } from './dev-view.js';
import { EndSignal } from './end-signal.js';
import { startModelNode, type RunningModelNode } from './model-node/start.js';
import { toldError } from './told-error.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** Links go first: they give the lease back and close their streams in order. All is over within 2 s. */
const LINKS_STOP_MS = 800;
const COSIGNERS_STOP_MS = 800;
/** As a shell says of a program that was interrupted. */
const EXIT_INTERRUPTED = 130;

/** Runs the local cluster until --blocks are made or Ctrl-C; resolves with the exit code when nothing of it is left. */
export async function startDev(options: DevOptions): Promise<number> {
  const signal = new EndSignal();
  signal.onAgain(() => process.exit(EXIT_INTERRUPTED));
  const { dir } = devFolder(options);
  const unlock = lockDev(dir);
  try {
    const home = await openDevHome(options, initWith(MAIN));
    // A folder is not left half made: what was begun is finished first.
    return signal.heard ? 0 : await new DevRun(options, home, signal).run();
  } finally {
    unlock();
  }
}

class DevRun {
  readonly #options: DevOptions;
  readonly #home: DevHome;
  readonly #signal: EndSignal;
  readonly #tally = new DevTally();
  readonly #view = new DevView();
  readonly #processes: readonly DevProcess[];
  readonly #ended: Promise<number>;
  #node: RunningModelNode | undefined;
  #end: (exitCode: number) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #ending = false;

  constructor(options: DevOptions, home: DevHome, signal: EndSignal) {
    this.#options = options;
    this.#home = home;
    this.#signal = signal;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
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
          onDeath: (died, how, restartMs) =>
            this.#say(
              `${died} ended (${how}); it is started again ${restartMs === 0 ? 'at once' : `in ${restartMs / 1000} s`}`,
            ),
          onGivenUp: (died, why) => {
            const what = `${join(home.dir, died)} was started several times and never got ready`;
            this.#fail(toldError('DEV_PROCESS_FAILED', what, why));
          },
        }),
    );
  }

  async run(): Promise<number> {
    this.#signal.onAgain(() => this.#endAtOnce());
    void this.#signal.first.then((name) => {
      this.#say(`ending (${name}); once more ends it at once`);
      this.#end(0);
    });
    // Nobody looks any more: a pipe that was closed, or a terminal.
    standardOutput().onError = (error) => {
      if (['EPIPE', 'EIO'].includes(diskErrorCode(error) ?? '')) this.#end(0);
    };
    const { dir, chainId, node, model } = this.#home;
    this.#say(`chain ${chainId}: ${THRESHOLD} of ${COSIGNERS} cosigners, ${LINKS} sentry-links; homes in ${dir}`);
    this.#say(model ? `model node at ${node}, a block a second` : `waiting for the node at ${node}`);
    const exitCode = await Promise.race([this.#ended, this.#startAll().then(() => this.#ended)]).finally(() =>
      this.#stop(),
    );
    const summary = this.#tally.summary();
    this.#say(summaryLine(summary));
    if (this.#options.json === true) standardOutput().write(`${JSON.stringify(summary)}\n`);
    return exitCode;
  }

  async #startAll(): Promise<void> {
    if (this.#home.model) await this.#startNode();
    await this.#start(this.#processes.slice(0, COSIGNERS));
    await this.#start(this.#processes.slice(COSIGNERS));
  }

  async #start(processes: readonly DevProcess[]): Promise<void> {
    if (this.#ending) return;
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
        block: (height) => this.#tally.block(height),
        waiting: ({ code, message, fix }) => {
          // The node that loses one signer waits for the next.
          if (code !== 'SIGNER_LOST') this.#say(`model node: waiting for its signer; ${code}; ${message}; ${fix}`);
        },
      },
    }).catch((error: unknown) => {
      throw diskErrorCode(error) === 'EADDRINUSE' ? portInUse(this.#home) : error;
    });
    this.#node.node.run(this.#options.blocks).then(
      () => this.#end(0),
      (error: unknown) => this.#fail(error),
    );
  }

  async #stop(): Promise<void> {
    this.#ending = true;
    const node = this.#node?.stop();
    const stop = (processes: readonly DevProcess[], graceMs: number): Promise<unknown> =>
      Promise.all(processes.map((child) => child.stop(graceMs)));
    await stop(this.#processes.slice(COSIGNERS), LINKS_STOP_MS);
    await stop(this.#processes.slice(0, COSIGNERS), COSIGNERS_STOP_MS);
    await node;
  }

  #endAtOnce(): void {
    for (const child of this.#processes) child.kill();
    process.exit(EXIT_INTERRUPTED);
  }

  #onEvent(event: DevEvent): void {
    if (!this.#home.model) this.#count(event);
    const line = this.#view.describe(event);
    if (line !== undefined && !this.#ending) this.#say(line);
  }

  /** Of a real node only the links' own logs tell what happened. */
  #count({ event, fields }: DevEvent): void {
    if (event.startsWith('signed ')) {
      this.#tally.signed(Number(fields['latencyMs']));
      const height = /^signed Precommit:[0-9A-F]+ at h\/r\/s (\d+)\//.exec(event)?.[1];
      if (height !== undefined) this.#tally.block(BigInt(height));
      const { blocks } = this.#options;
      if (blocks !== undefined && this.#tally.blocks >= blocks) this.#end(0);
    } else if (event.startsWith('refused ')) this.#tally.missed();
  }

  /** With --json, standard output is for the summary alone. Whoever does not read it does not hold the model node up. */
  #say(line: string): void {
    (this.#options.json === true ? standardError() : standardOutput()).write(`${line}\n`);
  }
}

function portInUse({ dir, node }: DevHome): HekateError {
  return new HekateError('PORT_IN_USE', `another process listens on ${node}, where the model node of ${dir} belongs`, {
    fix: 'stop that process; or take another folder, --dir; or start over with other ports, --fresh',
  });
}
