import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { HekateError } from '../shared/errors.js';
import { chainIdProblem } from '../shared/config/chain-id.js';
import type { DevOptions } from './dev-options.js';

export const COSIGNERS = 3;
export const THRESHOLD = 2;
export const LINKS = 2;
const MODEL_CHAIN_ID = 'hekate-dev-1';
const DEFAULT_DIR = '.dev';
const PLAN_FILE = 'dev.json';

/** What a folder was made for; a later run must want the same. */
export interface DevHome {
  readonly dir: string;
  readonly chainId: string;
  /** Where the links dial: the model node's address, or the real one's. */
  readonly node: string;
  readonly model: boolean;
}

/**
 * The folder of this chain's local cluster: the one of the last run, or a new one made by `hekate init`. `hekate` runs the
 * command line and resolves with its exit code and what it said. Throws USAGE, DEV_MISMATCH or DEV_INIT_FAILED.
 */
export async function openDevHome(options: DevOptions, main: string): Promise<DevHome> {
  const model = options.node === undefined;
  if (!model && options.chainId === undefined) {
    throw new HekateError('USAGE', 'a real node needs its chain id', {
      fix: 'add --chain-id ID, as in its genesis.json',
    });
  }
  const chainId = options.chainId ?? MODEL_CHAIN_ID;
  const problem = chainIdProblem(chainId);
  if (problem !== undefined) throw new HekateError('USAGE', problem);
  const dir = join(options.dir ?? DEFAULT_DIR, chainId);
  if (options.fresh === true) await rm(dir, { recursive: true, force: true });
  const before = await readPlan(dir);
  if (before !== undefined) return reuse(before, { ...options, dir }, model);
  const ports = await freePorts(COSIGNERS + 1);
  const node = options.node ?? `tcp://127.0.0.1:${ports[COSIGNERS]}`;
  await mkdir(dirname(dir), { recursive: true });
  await runInit(options, main, { dir, chainId, node, model }, ports.slice(0, COSIGNERS));
  const home = { dir, chainId, node, model };
  await writeFile(join(dir, PLAN_FILE), JSON.stringify(home));
  return home;
}

function reuse(before: DevHome, options: DevOptions & { readonly dir: string }, model: boolean): DevHome {
  const other = before.model !== model || (options.node !== undefined && options.node !== before.node);
  if (!other && options.key === undefined) return { ...before, dir: options.dir };
  const why = other ? `made for node ${before.node}` : 'made with a key of its own';
  throw new HekateError('DEV_MISMATCH', `${options.dir} was ${why}`);
}

async function readPlan(dir: string): Promise<DevHome | undefined> {
  if (!existsSync(join(dir, PLAN_FILE))) return undefined;
  return JSON.parse(await readFile(join(dir, PLAN_FILE), 'utf8')) as DevHome;
}

async function runInit(options: DevOptions, main: string, home: DevHome, ports: readonly number[]): Promise<void> {
  const { dir, chainId, node } = home;
  const args = [
    'init',
    dir,
    '--chain-id',
    chainId,
    '--node',
    node,
    '--threshold',
    String(THRESHOLD),
    '--links',
    String(LINKS),
  ];
  args.push('--cosigner', ...ports.map((port) => `127.0.0.1:${port}`));
  if (options.key !== undefined) args.push('--key', options.key);
  if (options.state !== undefined) args.push('--state', options.state);
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    if (said.length < 4096) said += part.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new HekateError('DEV_INIT_FAILED', `the cluster could not be made: ${said.trim()}`);
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
