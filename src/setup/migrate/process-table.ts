import { promises as fsp } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import type { Traces } from './old-signer.js';

/** A process that is the old signer, as far as can be seen. */
export interface FoundProcess {
  readonly pid: number;
  /** What it was started as: the base name of its program. */
  readonly name: string;
  /** Why it is taken for the old signer, as the end of a sentence. */
  readonly why: string;
}

export interface ProcessReport {
  readonly found: readonly FoundProcess[];
  /** Processes of the same program with another configuration. */
  readonly others: readonly FoundProcess[];
  /** Processes whose open files could not be seen. */
  readonly hidden: number;
}

type FileId = string;

/** Of another user. */
const HIDDEN = Symbol('hidden');

/**
 * The processes that run as the old signer or have its files open, by Linux's /proc (proc(5)); files are compared by device and
 * inode, so that a container's mounts do not hide them. Undefined where there is no such folder, or it does not show all processes.
 */
export async function findProcesses(
  proc: string,
  { program, files, folders }: Traces,
): Promise<ProcessReport | undefined> {
  const pids = await fsp.readdir(proc).catch(() => []);
  const numbers = pids.filter((name) => /^\d+$/.test(name)).map(Number);
  // There is always a first one: where it is not shown, those of other users are not (hidepid).
  if (!numbers.includes(1)) return undefined;
  const wanted = await idsOf(files, folders);
  const config = program === undefined ? undefined : await idOf(program.config);
  const found: FoundProcess[] = [];
  const others: FoundProcess[] = [];
  let hidden = 0;
  for (const pid of numbers) {
    if (pid === process.pid) continue;
    const folder = join(proc, String(pid));
    const args = await argsOf(folder);
    // A thread of the kernel.
    if (args.length === 0) continue;
    const name = basename(args[0] ?? '');
    if (program !== undefined && (await runs(folder, args, program.name))) {
      const used = await configOf(folder, args, program);
      if (used.id !== undefined && config !== undefined && used.id !== config)
        others.push({ pid, name, why: `runs with ${used.path}` });
      else
        found.push({
          pid,
          name,
          why: used.id === undefined ? 'runs, and nobody says with which configuration' : `runs with ${used.path}`,
        });
      continue;
    }
    const open = await openFile(folder, wanted, folders);
    if (open === HIDDEN) hidden++;
    else if (open !== undefined) found.push({ pid, name, why: `has ${open} open` });
  }
  return { found, others, hidden };
}

async function argsOf(folder: string): Promise<readonly string[]> {
  const line = await fsp.readFile(join(folder, 'cmdline'), 'utf8').catch(() => '');
  return line
    .split('\0')
    .filter((arg, i) => arg !== '' || i === 0)
    .filter((arg) => arg !== '');
}

/** TMKMS has other commands that sign nothing. A program may have its version in its name. */
async function runs(folder: string, args: readonly string[], name: string): Promise<boolean> {
  const exe = await fsp.readlink(join(folder, 'exe')).catch(() => '');
  const names = [args[0] ?? '', exe.replace(/ \(deleted\)$/, '')].map((path) => basename(path));
  return names.some((one) => one === name || one.startsWith(`${name}-`)) && args.includes('start');
}

/** Configurations of signers that look for it in the folder that they are started in. */
const IN_ITS_FOLDER: Readonly<Record<string, string>> = { tmkms: 'tmkms.toml', kms: 'kms.yaml' };

/**
 * The configuration of such a process: of -c or in its --home, else of its environment, else of its folder. The id is undefined where
 * it cannot be looked at, or nobody says.
 */
async function configOf(
  folder: string,
  args: readonly string[],
  { name, config }: NonNullable<Traces['program']>,
): Promise<{ readonly path: string; readonly id: FileId | undefined }> {
  const home = valueOf(args, /^--home$/, /^--home=(.+)$/s);
  const given =
    home === undefined ? valueOf(args, /^(?:-c|--config)$/, /^(?:--config=|-c=?)(.+)$/s) : join(home, basename(config));
  const environment =
    given === undefined ? await fsp.readFile(join(folder, 'environ'), 'utf8').catch(() => undefined) : '';
  const named = name === 'tmkms' ? /(?:^|\0)TMKMS_CONFIG_FILE=([^\0]+)/.exec(environment ?? '')?.[1] : undefined;
  const path = environment === undefined ? undefined : (given ?? named ?? IN_ITS_FOLDER[name]);
  if (path === undefined) return { path: 'its own configuration', id: undefined };
  return { path, id: await idOf(join(folder, isAbsolute(path) ? 'root' : 'cwd', path)) };
}

/** Of an option that stands before its value, or in one with it. */
function valueOf(args: readonly string[], alone: RegExp, joined: RegExp): string | undefined {
  const at = args.findIndex((arg) => alone.test(arg));
  return at < 0 ? args.flatMap((arg) => joined.exec(arg)?.[1] ?? [])[0] : args[at + 1];
}

async function idsOf(files: readonly string[], folders: readonly string[]): Promise<ReadonlyMap<FileId, string>> {
  const paths = [...files];
  for (const folder of folders)
    // Every database that CometBFT can have keeps such a file open.
    for (const entry of await fsp.readdir(folder).catch(() => [])) paths.push(join(folder, entry, 'LOCK'));
  const found = new Map<FileId, string>();
  for (const path of paths) {
    const id = await idOf(path);
    if (id !== undefined) found.set(id, path);
  }
  return found;
}

async function idOf(path: string): Promise<FileId | undefined> {
  const stats = await fsp.stat(path).catch(() => undefined);
  return stats?.isFile() === true ? `${stats.dev}:${stats.ino}` : undefined;
}

async function openFile(
  folder: string,
  wanted: ReadonlyMap<FileId, string>,
  folders: readonly string[],
): Promise<string | typeof HIDDEN | undefined> {
  const descriptors = await fsp.readdir(join(folder, 'fd')).catch((error: unknown) => {
    return error instanceof Error && 'code' in error && error.code === 'EACCES' ? HIDDEN : [];
  });
  if (descriptors === HIDDEN) return HIDDEN;
  for (const descriptor of descriptors) {
    const link = join(folder, 'fd', descriptor);
    const target = await fsp.readlink(link).catch(() => '');
    if (!target.startsWith('/')) continue;
    if (folders.some((within) => target.startsWith(`${within}/`))) return target;
    const id = await idOf(link);
    const path = id === undefined ? undefined : wanted.get(id);
    if (path !== undefined) return path;
  }
  return undefined;
}
