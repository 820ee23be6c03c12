import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode, type SignAnswer } from '../support/asking-node.js';
import { cleanupAfterAll, cleanupAfterEach, type Cleanup } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateCluster, HekateProcess } from '../support/hekate-cluster.js';
import { scanMemory } from '../support/memory-scan.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';
import { secretsIn } from '../support/secret-files.js';
import { secretNeedles } from '../support/secret-needles.js';
import { writeValidatorKey } from '../support/validator-key.js';

// Two chains on every cosigner: what is wrong with one of them never stops the other.
const GOOD = 'good-1';
const BAD = 'bad-2';
const lasting = cleanupAfterAll();
const cleanup = cleanupAfterEach();
const folder = new TestFolder('halted');
lasting.add(() => folder.remove());

let cluster: HekateCluster;
/** Of the same chains, with other keys. */
let other: HekateCluster;
let copies = 0;

async function addChain(to: HekateCluster, chainId: string, node: string, keyFile: string): Promise<void> {
  const args = ['--chain-id', chainId, '--node', node, '--key', keyFile, '--never-signed'];
  const run = await runHekate(['init', to.folder, ...args]);
  expect(run.code, run.stderr).toBe(0);
}

beforeAll(async () => {
  const make = async (name: string): Promise<HekateCluster> => {
    const into = new TestFolder(`halted-${name}`);
    lasting.add(() => into.remove());
    const { keyFile } = writeValidatorKey(into.path);
    const nodeAddress = `unix://${into.file('node.sock')}`;
    const made = await HekateCluster.create({ folder: into.path, chainId: GOOD, nodeAddress, keyFile });
    await addChain(made, BAD, nodeAddress, secondKey(into));
    return made;
  };
  [cluster, other] = await Promise.all([make('a'), make('b')]);
});

function secondKey(into: TestFolder): string {
  mkdirSync(into.file('second'));
  return writeValidatorKey(into.file('second')).keyFile;
}

function homeOf(name = 'cosigner-1'): string {
  const home = folder.file(`${++copies}`);
  cpSync(join(cluster.folder, name), home, { recursive: true });
  return home;
}

interface Status {
  readonly status: {
    readonly chains: readonly { chainId: string; halted: string | null; height: string | null; place: string }[];
    readonly problems: readonly { code: string; message: string; fix: string }[];
  };
}

const state = (chain: string): string => `state/${chain}.watermark`;
const share = (chain: string): string => `chains/${chain}/share.key`;
const group = (chain: string): string => `chains/${chain}/group.json`;

type Damage = (home: string, chain: string) => void;
const copyOther = (home: string, path: string, from = 'cosigner-1'): void =>
  cpSync(join(other.folder, from, path), join(home, path));
const spoil = (file: string, offset: number): void => {
  const contents = readFileSync(file);
  writeFileSync(file, contents.fill(0x5a, offset, offset + 1024));
};

const DAMAGES: readonly (readonly [name: string, code: string, damage: Damage])[] = [
  ['state missing', 'STATE_MISSING', (home, chain) => rmSync(join(home, state(chain)))],
  ['mark missing', 'STATE_MISSING', (home, chain) => rmSync(join(home, `${state(chain)}.mark`))],
  ['state cut short', 'STATE_TRUNCATED', (home, chain) => truncateSync(join(home, state(chain)), 4096)],
  ['state torn', 'STATE_CORRUPT', (home, chain) => spoil(join(home, state(chain)), 4096)],
  [
    'state of another key',
    'STATE_FOREIGN',
    (home, chain) => ['', '.mark'].forEach((end) => copyOther(home, state(chain) + end)),
  ],
  ['state of a newer version', 'STATE_VERSION', (home, chain) => newerVersion(join(home, state(chain)))],
  ['state not writable', 'STATE_NOT_WRITABLE', (home, chain) => chmodSync(join(home, state(chain)), 0o400)],
  ['share missing', 'SHARE_MISSING', (home, chain) => rmSync(join(home, share(chain)))],
  ['share damaged', 'SHARE_INVALID', (home, chain) => truncateSync(join(home, share(chain)), 63)],
  ['share of another dealing', 'SHARE_MISMATCH', (home, chain) => copyOther(home, share(chain))],
  ['group missing', 'GROUP_INVALID', (home, chain) => rmSync(join(home, group(chain)))],
  ['group damaged', 'GROUP_INVALID', (home, chain) => truncateSync(join(home, group(chain)), 20)],
  ['group of another dealing', 'SHARE_MISMATCH', (home, chain) => copyOther(home, group(chain))],
  ['group of two cosigners', 'GROUP_MISMATCH', (home, chain) => dealtToTwo(join(home, group(chain)))],
];

it.each(DAMAGES)('%s: %s halts that chain, the other is ready to sign', async (_name, code, damage) => {
  const home = homeOf();
  damage(home, BAD);
  const before = filesOf(home, BAD);
  const cosigner = new HekateProcess(`${copies}`, 'cosigner', folder.path);
  cleanup.add(() => cosigner.stop());
  await cosigner.start();

  const errors = cosigner.events().filter(({ level }) => level === 'error');
  expect(errors).toEqual([expect.objectContaining({ code, chain: BAD })]);

  const asked = await runHekate(['status', home, '--json']);
  expect(asked.code).toBe(1);
  const [told] = JSON.parse(asked.stdout) as Status[];
  expect(told?.status.chains.map(({ chainId, halted, height }) => [chainId, halted, height])).toEqual([
    [GOOD, null, '0'],
    [BAD, code, null],
  ]);
  const problem = told?.status.problems.find((one) => one.code === code);
  expect(problem?.message).toBe(`chain ${BAD}: this cosigner signs nothing: ${String(errors[0]?.['reason'])}`);
  expect(problem?.fix).toBe(errors[0]?.['fix']);

  const { stdout } = await runHekate(['status', home]);
  expect(stdout).toContain(`  ${BAD}: watermark not known, signs nothing: ${code}\n`);
  expect(stdout).toContain(`  problem: ${code}: chain ${BAD}: this cosigner signs nothing: `);
  expect(await cosigner.stop()).toBe(0);
  expect(filesOf(home, BAD)).toEqual(before);
});

it.each([
  ['the first in its configuration', GOOD, BAD],
  ['the second', BAD, GOOD],
])('which of the two it is makes no difference: %s', async (_name, bad, good) => {
  const home = homeOf();
  rmSync(join(home, share(bad)));
  const cosigner = new HekateProcess(`${copies}`, 'cosigner', folder.path);
  cleanup.add(() => cosigner.stop());
  await cosigner.start();
  const { stdout } = await runHekate(['status', home, '--json']);
  const [told] = JSON.parse(stdout) as Status[];
  const halted = new Map(told?.status.chains.map((chain) => [chain.chainId, chain.halted]));
  expect([halted.get(bad), halted.get(good)]).toEqual(['SHARE_MISSING', null]);
});

it.each<readonly [string, Damage, Damage, string]>([
  [
    'share and state',
    (home, chain) => rmSync(join(home, share(chain))),
    (home, chain) => rmSync(join(home, state(chain))),
    'SHARE_MISSING',
  ],
  [
    'state and share',
    (home, chain) => rmSync(join(home, state(chain))),
    (home, chain) => rmSync(join(home, share(chain))),
    'STATE_MISSING',
  ],
])(
  'both chains are halted, by %s: it does not start, and says what is wrong with the first',
  async (_name, first, second, code) => {
    const home = homeOf();
    first(home, GOOD);
    second(home, BAD);
    const run = await runHekate(['cosigner', 'start', '--home', home]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(new RegExp(`^${code}: .*${GOOD}[^]+\\. Fix: .+\\n$`));
    expect(run.stdout).toContain(`chain is halted: this cosigner signs nothing for it`);
    expect(run.stdout).not.toContain(' ready');
  },
);

it('what was read of the share of a halted chain is wiped', async () => {
  const home = homeOf();
  rmSync(join(home, state(BAD)));
  const cosigner = new HekateProcess(`${copies}`, 'cosigner', folder.path);
  cleanup.add(() => cosigner.stop());
  await cosigner.start();
  process.kill(cosigner.pid, 'SIGSTOP');
  const needles = [GOOD, BAD].flatMap((chain) =>
    secretsIn(dirname(join(home, share(chain)))).flatMap(({ bytes }) => secretNeedles(chain, bytes)),
  );
  const found = scanMemory(cosigner.pid, needles).map(({ name }) => name.split(' ')[0]);
  process.kill(cosigner.pid, 'SIGCONT');
  expect([...new Set(found)]).toEqual([GOOD]);
});

it('a state that another process holds: STATE_LOCKED halts that chain of the later one', async () => {
  const [first, second] = [homeOf(), homeOf('cosigner-2')];
  rmSync(join(second, state(BAD)));
  linkSync(join(first, state(BAD)), join(second, state(BAD)));
  const [holder, late] = [first, second].map((home) => {
    const cosigner = new HekateProcess(basename(home), 'cosigner', folder.path);
    cleanup.add(() => cosigner.stop());
    return cosigner;
  });
  await holder?.start();
  await late?.start();
  const errors = [holder, late].map((one) => one?.events().filter(({ level }) => level === 'error'));
  expect(errors).toEqual([[], [expect.objectContaining({ code: 'STATE_LOCKED', chain: BAD })]]);
});

it('a cluster: the halted chain goes on with the other cosigners, the other chain with all', async () => {
  const { at, askBad } = await clusterOfTwo(cleanup);
  const [one, two, three] = at.cluster.cosigners as [HekateProcess, HekateProcess, HekateProcess];
  await eventually('both chains are signed', 15_000, async () => (await askBad(1n)).kind === 'signed' || undefined);
  await at.signedAtLast({ step: 'Prevote', height: 1n });

  // As a disk that lost one file, while nobody looked.
  expect(await one.stop()).toBe(0);
  const kept = readFileSync(join(one.home, state(BAD)));
  rmSync(join(one.home, state(BAD)));
  await one.start();
  const left = await eventually('the links are told', 10_000, () => {
    const told = at.cluster.links.map((link) =>
      link.events().find(({ event }) => event === 'cosigner does not sign for this chain'),
    );
    return told.every((event) => event !== undefined) ? told : undefined;
  });
  for (const event of left) expect(event).toMatchObject({ code: 'STATE_MISSING', chain: BAD, cosigner: 'cosigner-1' });
  for (let height = 2n; height < 12n; height++) {
    await at.signed({ step: 'Prevote', height });
    expect(await askBad(height)).toMatchObject({ kind: 'signed' });
  }
  // A machine that is busy may cost a link its lease for a moment, and status says that too.
  const status = await eventually('status has that problem and no other', 15_000, async () => {
    const run = await runHekate(['status', at.cluster.folder]);
    return run.stdout.match(/^ {2}problem: .*/gm)?.length === 1 ? run : undefined;
  });
  expect(status.code).toBe(1);
  expect(status.stdout).toContain(`    ${BAD}: watermark not known, cannot sign: STATE_MISSING: signs nothing\n`);
  expect(status.stdout).toContain(`  ${BAD}: 2 of 3 cosigners can sign, 2 needed\n`);
  expect(status.stdout).toContain(`  ${GOOD}: 3 of 3 cosigners can sign, 2 needed\n`);
  expect(status.stdout).toMatch(
    new RegExp(
      `^  problem: STATE_MISSING: chain ${BAD}: this cosigner signs nothing: state file .* does not exist\\. Fix: `,
      'm',
    ),
  );

  // With another one gone the good chain needs this very cosigner.
  await three.crash();
  await at.signedAtLast({ step: 'Prevote', height: 12n });
  const refused = await eventually('too few are left for the other', 15_000, async () => {
    const answer = await askBad(12n);
    return answer.kind === 'refused' ? answer : undefined;
  });
  expect(refused.error).toMatch(/^QUORUM_LOST: .*one signs nothing: STATE_MISSING/);
  expect(two.running && one.running).toBe(true);

  // Mended as the fix says, it signs for both again.
  expect(await one.stop()).toBe(0);
  writeFileSync(join(one.home, state(BAD)), kept, { mode: 0o600 });
  await one.start();
  await eventually('it is signed again', 15_000, async () => (await askBad(12n)).kind === 'signed' || undefined);
  await at.signedAtLast({ step: 'Prevote', height: 13n });
});

/** A cluster whose nodes, one for each chain, ask what a test tells them. */
async function clusterOfTwo(
  into: Cleanup,
): Promise<{ readonly at: AskedCluster; readonly askBad: (height: bigint) => Promise<SignAnswer> }> {
  const node = await AskingNode.listen('tcp', BAD);
  into.add(() => node.close());
  const at = await AskedCluster.start(into, {
    name: 'halted-cluster',
    chainId: GOOD,
    prepare: (made, of) => addChain(made, BAD, node.address, secondKey(of)),
  });
  await node.connected(10_000);
  return { at, askBad: (height) => node.vote(at.vote({ step: 'Prevote', height, chainId: BAD })) };
}

/** Contents of a chain's files, by path. */
function filesOf(home: string, chain: string): ReadonlyMap<string, Buffer> {
  const files = [group(chain), share(chain), ...readdirSync(join(home, 'state')).map((name) => `state/${name}`)];
  const own = files.filter((path) => path.includes(chain) && existsSync(join(home, path)));
  return new Map(own.map((path) => [path, readFileSync(join(home, path))]));
}

function dealtToTwo(file: string): void {
  const json = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...json, count: 2 }));
}

/** As src/shared/watermark/slot-record.ts has it: each record with its version at 8 and a checksum at 480. */
function newerVersion(file: string): void {
  const contents = readFileSync(file);
  for (const at of [0, 512, 4096, 4608]) {
    contents.writeUInt16BE(999, at + 8);
    const sum = createHash('sha256').update(contents.subarray(at, at + 480));
    contents.set(sum.digest(), at + 480);
  }
  writeFileSync(file, contents);
}
