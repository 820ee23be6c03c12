import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/** One line of a process's JSON log. */
export interface DevEvent {
  readonly process: string;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface DevProcessOptions {
  readonly name: string;
  readonly role: 'cosigner' | 'sentry-link';
  readonly dir: string;
  /** The compiled command line. */
  readonly main: string;
  readonly onEvent: (event: DevEvent) => void;
  /** Started, for the first time or again. */
  readonly onStart: (name: string, pid: number | undefined) => void;
  /** Ended without having been told to. */
  readonly onDeath: (name: string, how: string) => void;
}

/** A dead process is started again after this, as a service manager would. */
export const RESTART_MS = 10_000;
const STOP_TIMEOUT_MS = 4_000;

/** A real process of the local cluster. It ends with us: its IPC channel breaks when we are gone. */
export class DevProcess {
  readonly name: string;
  readonly #options: DevProcessOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  /** Resolves when it says that it is ready, or has ended. */
  readonly ready: Promise<void>;
  #isReady: () => void = () => undefined;

  constructor(options: DevProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
  }

  start(): void {
    const { name, role, dir, main, onStart, onDeath } = this.#options;
    const args = [main, role, 'start', '--home', join(dir, name), '--log-format', 'json'];
    // A group of its own: Ctrl-C reaches us alone, and we end the others in order.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.#child = child;
    onStart(name, child.pid);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#line(line));
    }
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      this.#isReady();
      if (this.#stopping) return;
      onDeath(name, signal ?? `exit code ${code}`);
      this.#restart = setTimeout(() => this.start(), RESTART_MS);
    });
  }

  /** SIGTERM, and SIGKILL for one that does not go. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    // An open IPC channel would keep it from ending.
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  }

  #line(line: string): void {
    const { name, onEvent } = this.#options;
    try {
      const { level, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
      if (event === 'ready') this.#isReady();
      onEvent({ process: name, level: String(level), event: String(event), fields });
    } catch {
      onEvent({ process: name, level: 'error', event: line, fields: {} });
    }
  }
}
