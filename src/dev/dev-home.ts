import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { toBase64 } from '../shared/bytes.js';
import { chainIdProblem } from '../shared/config/chain-id.js';
import { HekateError } from '../shared/errors.js';
import { loadGroupFile } from '../shared/home/group-file.js';
import { COSIGNER_CONFIG_FILE, cosignerName, groupFile } from '../shared/home/paths.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { childEnvironment } from './child-environment.js';
import { COSIGNERS, LINKS, PLAN_FILE, THRESHOLD } from './dev-cluster.js';
import { groupOfAnotherKey, listed, removeDevHome } from './dev-fresh.js';
import type { DevOptions } from './dev-options.js';
import { forgetIntent, readIntent, writeIntent, type DevIntent } from './dev-intent.js';
import { readPlan, writePlan, type DevPlan } from './dev-plan.js';
import { toldError } from './told-error.js';

const MODEL_CHAIN_ID = 'hekate-dev-1';
export const DEFAULT_DIR = '.dev';

/** The folder of a local cluster, and what it was made for. */
export interface DevHome extends DevPlan {
  readonly dir: string;
}

/** What the cluster in a new folder is to be. */
export interface Wanted {
  readonly dir: string;
  readonly chainId: string;
  readonly node: string;
  /** Of the cosigners, on the loopback interface. */
  readonly ports: readonly number[];
  readonly key: string | undefined;
  readonly state: string | undefined;
  readonly neverSigned: boolean;
}

/** Makes the cluster, all of it or nothing. */
export type MakeCluster = (wanted: Wanted) => Promise<void>;

/** Where this chain's local cluster is, or is to be. Throws USAGE. */
export function devFolder(options: DevOptions): { readonly dir: string; readonly chainId: string } {
  const model = options.node === undefined;
  if (!model && options.chainId === undefined) {
    throw new HekateError('USAGE', 'a real node needs its chain id', {
      fix: 'add --chain-id ID, as in its genesis.json',
    });
  }
  const chainId = options.chainId ?? MODEL_CHAIN_ID;
  const problem = chainIdProblem(chainId);
  if (problem !== undefined) throw new HekateError('USAGE', problem);
  return { dir: join(options.dir ?? DEFAULT_DIR, chainId), chainId };
}

/**
 * The folder of this chain's local cluster: the one of the last run, or a new one. With --fresh, the last one is removed if it
 * may be. The caller holds its lock (lockDev). Throws USAGE, DEV_MISMATCH, DEV_FOREIGN, DEV_FRESH_REFUSED, or as `make` does.
 */
export async function openDevHome(options: DevOptions, make: MakeCluster): Promise<DevHome> {
  const { dir, chainId } = devFolder(options);
  await finishMaking(dir, chainId);
  if (options.fresh === true) await removeDevHome(dir, chainId);
  const names = await entriesOf(dir);
  return names.length === 0 ? makeHome(dir, chainId, options, make) : reuse(dir, chainId, options, names);
}

async function makeHome(dir: string, chainId: string, options: DevOptions, make: MakeCluster): Promise<DevHome> {
  const { key, state, neverSigned = false } = options;
  const ports = await freePorts(COSIGNERS + 1);
  const node = options.node ?? `tcp://127.0.0.1:${ports[COSIGNERS]}`;
  const model = options.node === undefined;
  await mkdir(dirname(dir), { recursive: true });
  const cosignerPorts = ports.slice(0, COSIGNERS);
  const intent = { chainId, node, model, keyGiven: key !== undefined, ports: cosignerPorts };
  await writeIntent(dir, intent);
  await make({ dir, chainId, node, ports: cosignerPorts, key, state, neverSigned }).catch(async (error: unknown) => {
    await forgetIntent(dir);
    throw error;
  });
  return { dir, ...(await writePlanOf(intent, dir)) };
}

async function writePlanOf({ chainId, node, model, keyGiven }: DevIntent, dir: string): Promise<DevPlan> {
  const { groupPublicKey } = await loadGroupFile(groupFile(join(dir, cosignerName(1)), chainId), chainId);
  const plan = { chainId, node, model, keyGiven, publicKey: toBase64(groupPublicKey) };
  await writePlan(dir, plan);
  await forgetIntent(dir);
  return plan;
}

/** A making that was killed before the plan was written is finished: `hekate init` makes all of the folder or nothing. */
async function finishMaking(dir: string, chainId: string): Promise<void> {
  const intent = await readIntent(dir);
  if (intent === undefined) return;
  const names = await entriesOf(dir);
  if (names.length > 0 && !names.includes(PLAN_FILE) && (await isAsIntended(dir, intent, chainId)))
    await writePlanOf(intent, dir);
  else await forgetIntent(dir);
}

/** Somebody may have made another cluster in that place since: ours has the ports that were chosen for it. */
async function isAsIntended(dir: string, { chainId, ports }: DevIntent, wanted: string): Promise<boolean> {
  const listens = async (port: number, i: number): Promise<boolean> => {
    const text = await readFile(join(dir, cosignerName(i + 1), COSIGNER_CONFIG_FILE), 'utf8').catch(() => '');
    return text.includes(`:${port}"`);
  };
  return chainId === wanted && (await Promise.all(ports.map(listens))).every(Boolean);
}

async function reuse(dir: string, chainId: string, options: DevOptions, names: readonly string[]): Promise<DevHome> {
  const plan = await readPlan(dir, chainId);
  if ('problem' in plan) throw new HekateError('DEV_FOREIGN', `${dir} holds ${listed(names)}, but ${plan.problem}`);
  const model = options.node === undefined;
  if (plan.model !== model || (options.node !== undefined && options.node !== plan.node))
    throw new HekateError('DEV_MISMATCH', `${dir} was made for node ${plan.node}`);
  if (options.key !== undefined) throw new HekateError('DEV_MISMATCH', `${dir} has its key already`);
  if (options.state !== undefined || options.neverSigned === true)
    throw new HekateError('DEV_MISMATCH', `${dir} has its watermarks already`);
  const stranger = plan.publicKey === undefined ? undefined : await groupOfAnotherKey(dir, plan);
  if (stranger !== undefined)
    throw new HekateError('DEV_FOREIGN', `${stranger} is not that of the key that ${dir} was made for`);
  return { dir, ...plan };
}

/** None when nothing is there. */
async function entriesOf(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error: unknown) => {
    const code = diskErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new HekateError('DEV_FOREIGN', `${dir} is not a folder`);
    throw error;
  });
}

/** `hekate init` in a process of its own, `main` being its compiled command line. Throws DEV_INIT_FAILED. */
export function initWith(main: string): MakeCluster {
  return async ({ dir, chainId, node, ports, key, state, neverSigned }) => {
    const args = ['init', dir, '--chain-id', chainId, '--node', node];
    args.push('--threshold', String(THRESHOLD), '--links', String(LINKS));
    // Blocks as fast as somebody wants to see them.
    args.push('--max-heights-per-second', '0');
    args.push('--cosigner', ...ports.map((port) => `127.0.0.1:${port}`));
    if (key !== undefined) args.push('--key', key);
    if (state !== undefined) args.push('--state', state);
    if (neverSigned) args.push('--never-signed');
    const child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C reaches us alone: what was begun is finished.
      detached: true,
      env: childEnvironment(),
    });
    let said = '';
    child.stderr.on('data', (part: Buffer) => {
      if (said.length < 4096) said += part.toString('utf8');
    });
    const how = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    if (how === 'exit code 0') return;
    const last = said.trim();
    throw toldError('DEV_INIT_FAILED', 'the cluster could not be made', last || `\`hekate init\` ended with ${how}`);
  };
}

/** Free loopback ports, all different; they stay this cluster's over later runs. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (typeof address === 'object' && address !== null) resolve(address.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
