import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadGroupFile } from '../../src/shared/home/group-file.js';
import { NONCE_POOL_TARGET } from '../../src/shared/coordination/limits.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterAll, cleanupAfterEach } from '../support/cleanup.js';
import { scanMemory, type Hit, type Needle } from '../support/memory-scan.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';
import { secretsIn, type FileSecret } from '../support/secret-files.js';
import { bytesNeedles, publicKeyOfSeed, reduced, secretNeedles, seedNeedles } from '../support/secret-needles.js';
import { writeValidatorKey } from '../support/validator-key.js';
import {
  LEAKS,
  readDraws,
  runWatched,
  WATCH_ARGS,
  type WatchedRun,
  type WatchEnvironment,
} from '../support/watched-run.js';

const cleanup = cleanupAfterEach();
const CHAIN = 'memory-1';
const VOTES = 1_000;
const LINKS = 2;

/** What is where: "name" for a copy, "name (locked)" for one on pages that never reach swap; half a secret is a copy too. */
function found(pid: number, needles: readonly Needle[]): string[] {
  const describeHit = ({ name, mapping }: Hit): string => (mapping.flags.has('lo') ? `${name} (locked)` : name);
  return [...new Set(scanMemory(pid, needles).map(describeHit))].sort();
}

/** How many copies there are: a whole one is found by both of its halves. */
function copies(hits: readonly Hit[], name: string): number {
  return hits.filter((hit) => hit.name.startsWith(name)).length / 2;
}

/** Keys of OpenSSL's. Of each it may have freed what it parsed without wiping it, and only a part of that been used anew. */
function expectOpenSsl(hits: readonly Hit[], name: string, keys: number): void {
  const count = copies(hits, name);
  expect(count, name).toBeGreaterThanOrEqual(keys);
  expect(count, name).toBeLessThanOrEqual(2 * keys);
}

const needlesOf = ({ name, kind, bytes }: FileSecret): Needle[] =>
  kind === 'seed' ? seedNeedles(name, bytes) : secretNeedles(name, bytes);

/** Seeds, and the polynomial's coefficients before and after they are reduced. */
const needlesOfDraw = (draw: Uint8Array, i: number): Needle[] =>
  draw.length === 64
    ? [...bytesNeedles(`draw ${i}`, draw), ...secretNeedles(`coefficient from draw ${i}`, reduced(draw))]
    : seedNeedles(`draw ${i}`, draw);

interface Case {
  readonly args: (folder: TestFolder, keyFile: string) => readonly string[];
  /** A hekate command before it. */
  readonly first?: (folder: TestFolder, keyFile: string) => readonly string[];
  readonly more?: WatchEnvironment;
  /** What comes from standard input. */
  readonly stdin?: (keyFile: string) => Uint8Array;
  /** How many times it draws at random at least. */
  readonly draws: number;
}

const cluster = (folder: TestFolder): string => folder.file('cluster');
const init = (folder: TestFolder): string[] => [
  ...['init', cluster(folder), '--chain-id', CHAIN, '--node', 'tcp://127.0.0.1:1', '--threshold', '3'],
  ...['--cosigner', ...[1, 2, 3, 4].map((id) => `127.0.0.1:${7000 + id}`)],
];
const split = (folder: TestFolder, keyFile: string): string[] => [
  ...['keys', 'split', '--key', keyFile, '--threshold', '2', '--count', '3'],
  ...['--chain-id', CHAIN, '--out', cluster(folder)],
];
const initWithKey = (folder: TestFolder, keyFile: string): string[] => [
  ...init(folder),
  ...['--key', keyFile, '--never-signed'],
];
const made = (folder: TestFolder): string[] => [
  ...['--apply', '--out', cluster(folder), '--watch', '1', '--i-stopped-it', '--never-signed', '--threshold', '3'],
  ...['--cosigner', ...[1, 2, 3, 4].map((id) => `127.0.0.1:${7000 + id}`)],
];
const migrateFile = (folder: TestFolder, keyFile: string): string[] => [
  ...['migrate', 'file', '--key', keyFile, '--chain-id', CHAIN, '--node', 'tcp://127.0.0.1:1'],
  ...made(folder),
];
/** A softsign key of TMKMS: the seed, or what it expands to. */
function migrateTmkms(folder: TestFolder, keyFile: string, form: (seed: Buffer) => Buffer): string[] {
  const { priv_key: key } = JSON.parse(readFileSync(keyFile, 'utf8')) as { priv_key: { value: string } };
  const seed = Buffer.from(key.value, 'base64').subarray(0, 32);
  writeFileSync(folder.file('softsign'), form(seed).toString('base64'), { mode: 0o600 });
  writeFileSync(
    folder.file('tmkms.toml'),
    `[[chain]]
id = "${CHAIN}"
key_format = { type = "hex" }
[[validator]]
chain_id = "${CHAIN}"
addr = "tcp://127.0.0.1:1"
[[providers.softsign]]
chain_ids = ["${CHAIN}"]
path = "${folder.file('softsign')}"
`,
  );
  return ['migrate', 'tmkms', '--config', folder.file('tmkms.toml'), ...made(folder)];
}
/** A pipe from which the key comes. */
function pipeOf(folder: TestFolder, keyFile: string): string {
  const pipe = folder.file('pipe');
  execFileSync('mkfifo', [pipe]);
  execFile('cp', [keyFile, pipe]);
  return pipe;
}
const NO_ADDON = { HEKATE_WATCH_NO_ADDON: '1' };

async function run({
  args,
  first,
  more,
  stdin,
}: Case): Promise<{ run: WatchedRun; folder: TestFolder; needles: Needle[] }> {
  const folder = new TestFolder('memory');
  cleanup.add(() => folder.remove());
  const { keyFile } = writeValidatorKey(folder.path);
  if (first !== undefined) expect((await runHekate(first(folder, keyFile))).stderr).toBe('');
  const watched = await runWatched(args(folder, keyFile), folder.path, more, stdin?.(keyFile));
  cleanup.add(() => watched.kill());
  const needles = [...secretsIn(folder.path).flatMap(needlesOf), ...watched.draws.flatMap(needlesOfDraw)];
  return { run: watched, folder, needles };
}

describe('a command leaves no secret in its memory', () => {
  it.each<[string, Case]>([
    ['init, which makes the key', { args: init, draws: 5 }],
    ['init, which makes the key, without libsodium addon', { args: init, draws: 5, more: NO_ADDON }],
    ['init with a key', { args: initWithKey, draws: 4 }],
    ['init with a key, without libsodium addon', { args: initWithKey, draws: 4, more: NO_ADDON }],
    ['migrate file', { args: migrateFile, draws: 4 }],
    ['migrate tmkms with a seed', { args: (folder, file) => migrateTmkms(folder, file, (seed) => seed), draws: 4 }],
    [
      'migrate tmkms with an expanded key',
      {
        args: (folder, file) => migrateTmkms(folder, file, (seed) => createHash('sha512').update(seed).digest()),
        draws: 4,
      },
    ],
    ['keys split', { args: split, draws: 1 }],
    ['keys split from standard input', { args: (folder) => split(folder, '-'), stdin: readFileSync, draws: 1 }],
    ['keys split from a named pipe', { args: (folder, keyFile) => split(folder, pipeOf(folder, keyFile)), draws: 1 }],
    [
      'keys split of what is refused, as it is UTF-16',
      {
        args: (folder) => split(folder, '-'),
        stdin: (keyFile) => Buffer.from(readFileSync(keyFile, 'utf8'), 'utf16le'),
        draws: 0,
      },
    ],
    [
      'keys verify',
      {
        args: (folder, keyFile) => ['keys', 'verify', cluster(folder), '--key', keyFile],
        first: initWithKey,
        draws: 0,
      },
    ],
  ])('%s', async (_name, one) => {
    const { run: watched, needles } = await run(one);
    expect(watched.draws.length).toBeGreaterThanOrEqual(one.draws);
    expect(needles.length).toBeGreaterThan(30);
    expect(found(watched.pid, needles)).toEqual([]);
    expect(readFileSync(`/proc/${watched.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
  });

  it('and the key that init makes is among what is searched for', async () => {
    const { run: watched, folder } = await run({ args: init, draws: 5 });
    const { groupPublicKey } = await loadGroupFile(join(cluster(folder), 'cosigner-1', 'chains', CHAIN, 'group.json'));
    const seeds = watched.draws.filter(({ length }) => length === 32);
    expect(seeds.map(publicKeyOfSeed)).toContainEqual(new Uint8Array(groupPublicKey));
  });
});

describe('a leak is found', () => {
  it.each([...LEAKS.keys()])('%s', async (form) => {
    const { run: watched, needles } = await run({ args: split, draws: 1, more: { HEKATE_WATCH_LEAK: form } });
    expect(found(watched.pid, needles)).toContainEqual(expect.stringMatching(/^draw 0/));
  });
});

describe('processes that have signed a thousand votes', () => {
  const after = cleanupAfterAll();

  it('hold only what they work with', async () => {
    const draws = new TestFolder('draws');
    after.add(() => draws.remove());
    const at = await AskedCluster.start(after, {
      ...{ name: 'memory', chainId: CHAIN, links: LINKS, nodeArgs: () => WATCH_ARGS },
      env: (name) => ({ HEKATE_WATCH_DRAWS: draws.file(name), ...(name === 'cosigner-3' && NO_ADDON) }),
    });
    for (let height = 1n; height <= VOTES / 2; height++)
      for (const step of ['Prevote', 'Precommit'] as const) await at.signed({ step, height });

    let nonces = 0;
    for (const { home, name, pid } of at.cluster.cosigners) {
      process.kill(pid, 'SIGSTOP');
      const locks = name !== 'cosigner-3';
      const secrets = secretsIn(home);
      const share = secrets.find(({ kind }) => kind === 'share')?.bytes ?? new Uint8Array();
      // Each is of two nonces.
      const made = readDraws(draws.file(name))
        .filter(({ length }) => length === 64)
        .flatMap((draw) => [draw.subarray(0, 32), draw.subarray(32)]);
      const spent = made.flatMap((draw, i) => nonceNeedles(draw, share, i));
      nonces += made.length;
      const hits = scanMemory(pid, [...secrets.flatMap(needlesOf), ...spent]);
      const lockable = hits.filter(({ name: secret }) => !secret.startsWith('TLS key'));
      // The nonces: those that no vote has used yet.
      expect({
        ...{ share: copies(hits, 'share'), draws: copies(hits, 'draw'), digests: copies(hits, 'digest') },
        allLocked: lockable.every(({ mapping }) => mapping.flags.has('lo')),
      }).toEqual({ share: 1, draws: 0, digests: 0, allLocked: locks });
      expectOpenSsl(hits, 'TLS key', 1);
      expect(copies(hits, 'nonce')).toBeLessThanOrEqual(2 * NONCE_POOL_TARGET * LINKS);
      expect(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
    }
    expect(nonces).toBeGreaterThan(VOTES * 4);

    for (const { home, pid } of at.cluster.links) {
      process.kill(pid, 'SIGSTOP');
      const hits = scanMemory(pid, secretsIn(home).flatMap(needlesOf));
      // One for the connections to each cosigner, one of the identity for nodes.
      expectOpenSsl(hits, 'TLS key', 3);
      expectOpenSsl(hits, 'seed', 1);
    }
  });
});

/** A nonce with what it is made of: H3(draw ‖ share), RFC 9591 §4.1. */
function nonceNeedles(draw: Uint8Array, share: Uint8Array, i: number): Needle[] {
  const digest = createHash('sha512').update('FROST-ED25519-SHA512-v1nonce').update(draw).update(share).digest();
  return [
    ...bytesNeedles(`draw ${i}`, draw),
    ...bytesNeedles(`digest ${i}`, digest),
    ...bytesNeedles(`nonce ${i}`, reduced(digest)),
  ];
}
