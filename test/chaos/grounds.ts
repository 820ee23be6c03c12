import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import type { Cleanup } from '../support/cleanup.js';
import { cometBinary } from '../support/comet-home.js';
import { guardAgainstLeftFolder } from '../support/orphan-guard.js';
import { TestFolder } from '../support/project.js';
import { emptyDisk, fillDisk, makeReadOnly, makeWritable, putOnSmallDisk } from '../support/tmpfs.js';
import { wrongClock, type WrongClock } from '../support/wrong-clock.js';
import { AskedValidator } from './asked-validator.js';
import { CHAOS_NODE, CometValidator } from './comet-validator.js';
import { DeadDns } from './dead-dns.js';
import { Ground, THRESHOLD } from './ground.js';
import { LogPipe } from './log-pipe.js';
import { SignatureBook } from './signature-book.js';
import { Wires, wiresMissing } from './wires.js';

/**
 * asked: a node of ours asks every 50 ms. hosts: the same on hosts that can be hurt (disks, logs, clocks, names); needs root.
 * real: one CometBFT validator, blocks of 200 ms. four: four validators, ours on two nodes.
 */
export const GROUND_NAMES = ['asked', 'hosts', 'real', 'four'] as const;
export type GroundName = (typeof GROUND_NAMES)[number];

/** A ground, and what only some of them have. */
export interface Stage {
  readonly ground: Ground;
  readonly hosts: Hosts | undefined;
}

/** What can be hurt about the hosts of a cluster. */
export interface Hosts {
  readonly dns: DeadDns;
  /** Of cosigner-3 and sentry-link-1. */
  readonly clocks: readonly WrongClock[];
  /** Of cosigner-1, on a disk of its own. */
  readonly state: Disk;
  /** Of cosigner-2 and sentry-link-2: what they log goes to a disk of its own, which is nearly empty at each fault. */
  readonly logDisk: Disk;
  /** Of cosigner-1 and sentry-link-1, by name. */
  readonly pipes: ReadonlyMap<string, LogPipe>;
}

export interface Disk {
  fill(): void;
  empty(): void;
  readOnly(): void;
  writable(): void;
}

/** Why this ground cannot be had here; undefined: it can. */
export function groundMissing(name: GroundName): string | undefined {
  const missing = wiresMissing();
  if (missing !== undefined) return missing;
  if (name === 'hosts') return mountMissing();
  if (name === 'asked' || existsSync(cometBinary(CHAOS_NODE))) return undefined;
  return `no CometBFT ${CHAOS_NODE} in .cache/bin; 'node scripts/fetch-nodes.mjs' builds it (needs Go)`;
}

/** Signs when this resolves. `cleanup` ends it and leaves nothing. */
export async function startStage(name: GroundName, cleanup: Cleanup): Promise<Stage> {
  const test = new TestFolder(`chaos-${name}`);
  const folder = test.path;
  cleanup.add(() => test.remove());
  if (process.env['HEKATE_KEEP_TEST_FILES'] === undefined) guardAgainstLeftFolder(folder);
  const book = new SignatureBook(THRESHOLD);
  const wires = await Wires.start(folder, cleanup);
  const chainId = `chaos-${name}-1`;
  const common = { folder, book, wires, cleanup };
  switch (name) {
    case 'asked': {
      const validator = await AskedValidator.create(folder, chainId, book);
      return { ground: await Ground.start({ ...common, validator }), hosts: undefined };
    }
    case 'hosts':
      return startHosts({ ...common, chainId });
    case 'real': {
      const validator = await CometValidator.create({ ...common, chainId, timeoutCommit: '200ms' });
      return { ground: await Ground.start({ ...common, validator }), hosts: undefined };
    }
    case 'four': {
      const network = { validators: 4, twins: 1, timeoutCommit: '500ms' };
      const validator = await CometValidator.create({ ...common, chainId, ...network });
      return { ground: await Ground.start({ ...common, validator }), hosts: undefined };
    }
  }
}

interface Common {
  readonly folder: string;
  readonly book: SignatureBook;
  readonly wires: Wires;
  readonly cleanup: Cleanup;
  readonly chainId: string;
}

const DOMAIN = 'chaos.test';
const PEERS = ['cosigner-1', 'cosigner-2', 'cosigner-3', 'node'];
const LOG_DISK_KB = 2_048;

async function startHosts({ folder, book, wires, cleanup, chainId }: Common): Promise<Stage> {
  const validator = await AskedValidator.create(folder, chainId, book);
  const hostOf = (peer: string): string => `${peer}.${DOMAIN}`;
  const dns = await DeadDns.create(folder, PEERS.map(hostOf), cleanup);
  const clocks = new Map(['cosigner-3', 'sentry-link-1'].map((name) => [name, wrongClock(folder, name)]));
  for (const clock of clocks.values()) clock.step(0);
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  putOnSmallDisk(logs, cleanup, LOG_DISK_KB);
  const onDisk = new Map(['cosigner-2', 'sentry-link-2'].map((name) => [name, join(logs, `${name}.log`)]));
  const piped = (name: string): string => join(folder, `${name}.piped.log`);
  const pipes = new Map(
    ['cosigner-1', 'sentry-link-1'].map((name) => [
      name,
      LogPipe.create(join(folder, `${name}.pipe`), piped(name), cleanup),
    ]),
  );
  // The processes write themselves: the disk is full for them, and not for us.
  const files = new Map([...onDisk].map(([name, path]) => [name, openSync(path, 'a')]));
  cleanup.add(() => {
    for (const file of files.values()) closeSync(file);
  });
  let state = '';
  const ground = await Ground.start({
    ...{ folder, book, wires, cleanup, validator, hostOf },
    env: (name) => clocks.get(name)?.env ?? {},
    wrap: (name) => (name.startsWith('sentry-link') ? dns.command : []),
    logFile: (name) => onDisk.get(name) ?? (pipes.has(name) ? piped(name) : undefined),
    output: (name) => pipes.get(name)?.output ?? files.get(name),
    prepare: ({ cosigners }) => {
      state = join(must(cosigners[0], 'the first').home, 'state');
      putOnSmallDisk(state, cleanup);
    },
  });
  const logDisk: Disk = {
    ...diskOf(logs),
    empty: () => {
      emptyDisk(logs);
      for (const path of onDisk.values()) if (existsSync(path)) truncateSync(path, 0);
    },
  };
  return { ground, hosts: { dns, clocks: [...clocks.values()], state: diskOf(state), logDisk, pipes } };
}

function diskOf(folder: string): Disk {
  return {
    fill: () => fillDisk(folder),
    empty: () => emptyDisk(folder),
    readOnly: () => makeReadOnly(folder),
    writable: () => makeWritable(folder),
  };
}

function mountMissing(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `disks and names cannot be had here (needs root): ${messageOf(error)}`;
  }
}
