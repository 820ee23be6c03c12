import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from './cleanup.js';
import { TestProcess } from './processes.js';
import { HEKATE_MAIN, PROJECT_ROOT } from './project.js';
import { newRunFolder } from './run-folder.js';

const READY_MS = 30_000;
/** Some wait until a cosigner has heard the others. */
const COMMANDS_MS = 60_000;
const START = /^hekate (?:cosigner|sentry-link) start --home (\S+)$/;

/** The code blocks of a page, by heading, and which of them were run. */
export class Runbooks {
  readonly #blocks = new Map<string, readonly string[]>();
  readonly #run = new Set<string>();

  constructor(document: string) {
    const text = readFileSync(join(PROJECT_ROOT, document), 'utf8');
    for (const section of text.split('\n## ').slice(1)) {
      const [title = ''] = section.split('\n');
      const blocks = [...section.matchAll(/^( *)```\n([\s\S]*?)^ *```$/gm)];
      const unindented = blocks.map(([, indent = '', body = '']) => body.replaceAll(RegExp(`^${indent}`, 'gm'), ''));
      this.#blocks.set(title, unindented);
    }
  }

  /** The commands of one block. */
  take(title: string, number: number): string {
    const block = this.#blocks.get(title)?.[number - 1];
    if (block === undefined) throw new Error(`there is no block ${number} under "${title}"`);
    this.#run.add(`${title} ${number}`);
    return block;
  }

  /** Blocks that nobody has taken. */
  get left(): readonly string[] {
    const all = [...this.#blocks].flatMap(([title, blocks]) => blocks.map((_block, i) => `${title} ${i + 1}`));
    return all.filter((name) => !this.#run.has(name));
  }
}

/** A host of a runbook: a folder to type in, a run-time folder, and what runs there. */
export class RunbookHost {
  readonly folder: string;
  readonly #env: Record<string, string>;
  readonly #processes = new Map<string, TestProcess>();
  readonly #cleanup: Cleanup;

  constructor(root: string, name: string, cleanup: Cleanup) {
    this.folder = join(root, name);
    this.#cleanup = cleanup;
    mkdirSync(this.folder);
    const runFolder = newRunFolder(cleanup);
    this.#env = { RUNTIME_DIRECTORY: runFolder, PATH: `${binFolder(root)}:${process.env['PATH'] ?? ''}` };
  }

  /**
   * Types these commands; what starts a process is left running. `as`: what stands on the page for what it is here, each of which
   * has to be there. Returns what was printed.
   */
  async type(commands: string, as: Readonly<Record<string, string>> = {}): Promise<string> {
    let here = commands;
    for (const [page, instead] of Object.entries(as)) {
      if (!here.includes(page)) throw new Error(`${page} is not in:\n${commands}`);
      here = here.replaceAll(page, instead);
    }
    let printed = '';
    for (const part of parts(here)) {
      if (START.test(part)) await this.#start(part);
      else printed += await this.#bash(part);
    }
    return printed;
  }

  /** SIGTERM. */
  async stop(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const exit = await this.#processes.get(name)?.stop();
      if (exit?.code !== 0) throw new Error(`${name} did not end in order: ${JSON.stringify(exit)}`);
    }
  }

  async crash(name: string): Promise<void> {
    await this.#processes.get(name)?.crash();
  }

  async #start(line: string): Promise<void> {
    const home = await this.#bash(`echo ${START.exec(line)?.[1] ?? ''}`);
    const name = home.trim();
    const started = new TestProcess({
      name,
      command: 'bash',
      args: ['-c', `cd '${this.folder}' && exec ${line}`],
      logFile: join(this.folder, '..', `${name}.log`),
      env: this.#env,
    });
    this.#processes.set(name, started);
    this.#cleanup.add(async () => void (await started.stop()));
    await started.waitForLine('ready', (one) => / ready process=/.test(one), READY_MS);
  }

  async #bash(script: string): Promise<string> {
    const how = { cwd: this.folder, env: { ...process.env, ...this.#env }, timeout: COMMANDS_MS };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], how);
    return stdout;
  }
}

/** Lines that start a process by themselves, and what stands between them together. */
function parts(commands: string): readonly string[] {
  const found: string[] = [];
  let other: string[] = [];
  for (const line of [...commands.trimEnd().split('\n'), undefined]) {
    if (line !== undefined && !START.test(line)) {
      other.push(line);
      continue;
    }
    if (other.length > 0) found.push(other.join('\n'));
    other = [];
    if (line !== undefined) found.push(line);
  }
  return found;
}

/** `hekate` as it is installed, and an scp between hosts that are folders beside each other. */
function binFolder(root: string): string {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  const scp = `args=(); for one in "$@"; do [[ $one == *:* ]] && one="${root}/\${one/://}"; args+=("$one"); done; exec cp "\${args[@]}"`;
  for (const [name, script] of [
    ['hekate', `exec '${process.execPath}' '${HEKATE_MAIN}' "$@"`],
    ['scp', scp],
  ] as const) {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
