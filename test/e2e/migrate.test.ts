import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { fromFilePv } from '../../src/setup/file-pv.js';
import { parseTmkmsState } from '../../src/setup/migrate/tmkms/tmkms-state.js';
import { compareHrs, type Place } from '../../src/shared/watermark/watermark.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { genesisTimeOf, needsNode, patchToml, writeGenesis } from '../support/comet-home.js';
import { createNetwork, createSingleNode, type CometNode } from '../support/comet-node.js';
import { checkCommits } from '../support/commit-check.js';
import { commandsIn, inPlaceOf } from '../support/doc-commands.js';
import { eventually } from '../support/eventually.js';
import { HekateProcess } from '../support/hekate-cluster.js';
import { freePorts } from '../support/ports.js';
import { tailOf } from '../support/processes.js';
import { TestFolder } from '../support/project.js';
import { runHekate, type HekateRun } from '../support/run-hekate.js';
import { signedPlaces, type SignedPlace } from '../support/signed-places.js';
import { needsTmkms, Tmkms } from '../support/tmkms.js';

const cleanup = cleanupAfterEach();
const VERSION = 'v0.37.2';
const COSIGNERS = ['10.0.1.1:7001', '10.0.1.2:7001', '10.0.1.3:7001'];
/** On a machine that is busy with other things. */
const AT_MOST_MS = 60_000;

/** A walk through a page: what each of its commands does here, in order. */
type Steps = readonly (readonly [command: RegExp, act: (args: readonly string[]) => Promise<void> | void])[];

async function walk(document: string, values: Readonly<Record<string, string>>, steps: Steps): Promise<void> {
  const commands = commandsIn(document);
  expect(commands).toHaveLength(steps.length);
  for (const [i, [pattern, act]] of steps.entries()) {
    const command = commands[i] ?? '';
    expect(command).toMatch(pattern);
    await act(inPlaceOf(command, values).slice(1));
  }
}

/** The processes of a cluster that a page tells to start. */
class Started {
  readonly processes: HekateProcess[] = [];

  constructor(private readonly folder: string) {}

  readonly start = async ([role, , , name]: readonly string[]): Promise<void> => {
    if (role !== 'cosigner' && role !== 'sentry-link') throw new Error(`no such process: ${role}`);
    const process = new HekateProcess(basename(name ?? ''), role, this.folder);
    this.processes.push(process);
    await process.start();
  };

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
  }

  signed(): readonly SignedPlace[] {
    const links = this.processes.filter(({ name }) => name.startsWith('sentry-link'));
    return signedPlaces(...links.map(({ logFile }) => logFile));
  }
}

const hekate = (args: readonly string[]): Promise<HekateRun> => runHekate(args, 90_000);

function toSigned(started: Started): Promise<SignedPlace> {
  return eventually('a signature', AT_MOST_MS, () => started.signed()[0]);
}

/** Each place once, and all of the later ones above all of the earlier ones. */
function expectInTurn(...turns: readonly (readonly Place[])[]): void {
  const all = turns.flat();
  const again = all.slice(1).filter((place, i) => compareHrs(place, all[i] ?? place) <= 0);
  expect(again).toEqual([]);
}

async function everyCommitHolds(node: CometNode, chainId: string): Promise<void> {
  const { rpc, publicKey, validator } = node;
  const to = (await rpc.height()) - 1;
  const { address } = validator;
  const report = await checkCommits({
    rpc,
    chainId,
    address,
    publicKey,
    from: 1,
    to,
    laterRounds: 'allowed',
    nilAtMost: 0,
  });
  expect(report).toEqual({ checked: to, problems: [] });
}

const starts = (started: Started): Steps =>
  ['cosigner-1', 'cosigner-2', 'cosigner-3', 'sentry-link-1', 'sentry-link-2'].map((name) => [
    new RegExp(`^hekate [a-z-]+ start --home ${name}$`),
    started.start,
  ]);

it('docs/migrate-from-a-key-file.md, command by command, with a real node', async (context) => {
  needsNode(context, VERSION);
  const folder = new TestFolder('mf');
  cleanup.add(() => folder.remove());
  const chainId = 'from-file-1';
  const options = { version: VERSION, chainId, voteExtensions: false } as const;
  // The second one is no validator: it answers while the first one is stopped.
  const network = await createNetwork({
    ...options,
    folder: folder.path,
    privval: 'file',
    validators: 2,
    timeoutCommit: '1s',
    paced: true,
  });
  const [node, other] = network;
  if (node === undefined || other === undefined) throw new Error('a network of two');
  for (const { home } of network)
    writeGenesis(home, { ...options, validators: [node.validator], genesisTime: genesisTimeOf(node.home) });
  cleanup.add(() => Promise.all(network.map((member) => member.stop())));
  for (const member of network) member.start();
  await other.waitForHeight(4, 60_000);

  const cluster = folder.file('cluster');
  const started = new Started(cluster);
  cleanup.add(() => started.stop());
  cleanup.whenFailed(() => started.processes.forEach(({ logFile }) => console.error(tailOf(logFile, 10))));
  const ports = await freePorts(4);
  const offline = folder.file('offline');
  mkdirSync(offline);
  const address = `tcp://127.0.0.1:${ports[3]}`;
  const values: Record<string, string> = {
    ...{ '~/.sekaid': node.home, 'mychain-1': chainId, './cluster': cluster, '/media/offline': offline },
    ...{ 'tcp://10.0.0.5:26659': address, 'http://10.0.0.7:26657': `http://127.0.0.1:${other.rpc.port}` },
    ...Object.fromEntries(COSIGNERS.map((example, i) => [example, `127.0.0.1:${ports[i]}`])),
  };
  let last: Place | undefined;
  let stoppedAtMs = 0;
  await walk('docs/migrate-from-a-key-file.md', values, [
    [
      /^hekate migrate file /,
      async (args) => {
        const run = await hekate(args);
        expect(run.code, run.stderr).toBe(1);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: process \d+ \(cometbft-v0.37.2\) has .*\/data\/.* open/m);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: .*priv_validator_state.json changed while it was watched/m);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: http:.* has a signature of this key at height/m);
      },
    ],
    [
      /^systemctl disable --now sekaid$/,
      async () => {
        await node.stop();
        stoppedAtMs = performance.now();
        last = fromFilePv(
          readFileSync(join(node.home, 'data', 'priv_validator_state.json'), 'utf8'),
          chainId,
        ).watermark;
      },
    ],
    [
      /^hekate migrate file .* --apply /,
      async (args) => {
        const run = await hekate(args);
        expect(run.stderr).toBe('');
        expect(run.stdout).toContain('stands still at height');
        expect(run.stdout).toContain(`Written: ${chainId} in ${cluster}.`);
        expect(await hekate([...args, '--watch', '1'])).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('was there already') as string,
        });
      },
    ],
    [/^mv /, ([from = '', to = '']) => renameSync(from, join(to, basename(from)))],
    ...starts(started),
    [
      /^systemctl enable --now sekaid$/,
      async () => {
        const config = join(node.home, 'config', 'config.toml');
        writeFileSync(
          config,
          patchToml(readFileSync(config, 'utf8'), { priv_validator_laddr: JSON.stringify(address) }),
        );
        node.start();
        await toSigned(started);
        const tookMs = performance.now() - stoppedAtMs;
        console.log(`from a key file: ${Math.round(tookMs)} ms from the stop of the node to the first signature`);
        await other.waitForHeight((await other.rpc.height()) + 5, 60_000);
      },
    ],
    [/^hekate status /, async (args) => expect((await hekate(args)).code).toBe(0)],
    [/^hekate state show /, async (args) => expect((await hekate(args)).stdout).toContain(chainId)],
  ]);
  expectInTurn(last === undefined ? [] : [last], started.signed());
  await everyCommitHolds(node, chainId);
});

it('docs/migrate-from-tmkms.md, command by command, with a real node and a real TMKMS; and the way back', async (context) => {
  needsNode(context, VERSION);
  needsTmkms(context);
  const folder = new TestFolder('mt');
  cleanup.add(() => folder.remove());
  const chainId = 'from-tmkms-1';
  const node = await createSingleNode({
    ...{ version: VERSION, folder: folder.path, chainId, privval: 'tcp', voteExtensions: false },
    ...{ timeoutCommit: '1s', paced: true },
  });
  if (node.privvalAddress === undefined || node.key === undefined) throw new Error('a remote-signed node');
  const { privvalAddress: nodeAddress } = node;
  const tmkms = await Tmkms.create({ folder: folder.file('tmkms'), chainId, nodeAddress, keyFile: node.key.keyFile });
  cleanup.add(() => tmkms.stop());
  cleanup.add(() => node.stop());
  tmkms.start();
  node.start();
  await node.waitForHeight(4, 60_000);

  const cluster = folder.file('cluster');
  const started = new Started(cluster);
  cleanup.add(() => started.stop());
  cleanup.whenFailed(() => [tmkms, ...started.processes].forEach(({ logFile }) => console.error(tailOf(logFile, 10))));
  const ports = await freePorts(3);
  const offline = folder.file('offline');
  mkdirSync(offline);
  const values: Record<string, string> = {
    ...{ '/etc/tmkms': folder.file('tmkms'), './cluster': cluster, '/media/offline': offline },
    ...{ 'tcp://10.0.0.5:26659': nodeAddress, 'http://10.0.0.7:26657': `http://127.0.0.1:${node.rpc.port}` },
    ...Object.fromEntries(COSIGNERS.map((example, i) => [example, `127.0.0.1:${ports[i]}`])),
  };
  let stoppedAtMs = 0;
  let before: readonly SignedPlace[] = [];
  let highest: Place | undefined;
  const move = ([from = '', to = '']: readonly string[]): void => renameSync(from, join(to, basename(from)));
  await walk('docs/migrate-from-tmkms.md', values, [
    [
      /^hekate migrate tmkms /,
      async (args) => {
        const run = await hekate(args);
        expect(run.code, run.stderr).toBe(1);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: process \d+ \(tmkms-0.15.0\) runs with .*tmkms.toml/m);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: somebody on this host is connected to tcp:/m);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: .*from-tmkms-1.json changed while it was watched/m);
        expect(run.stderr).toMatch(/^OLD_SIGNER_RUNS: http:.* has a signature of this key at height/m);
      },
    ],
    [
      /^systemctl disable --now tmkms$/,
      async () => {
        await tmkms.stop();
        stoppedAtMs = performance.now();
        before = signedPlaces(tmkms.logFile);
        expect(before.length).toBeGreaterThan(6);
      },
    ],
    [
      /^hekate migrate tmkms .* --apply /,
      async (args) => {
        const run = await hekate(args);
        expect(run.stderr).toBe('');
        expect(run.stdout).toContain('stands still at height');
        expect(run.stdout).toContain(`Written: ${chainId} in ${cluster}.`);
        expect(await hekate([...args, '--watch', '1'])).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('was there already') as string,
        });
      },
    ],
    [/^mv /, move],
    ...starts(started),
    [
      /^hekate status /,
      async (args) => {
        await toSigned(started);
        const tookMs = performance.now() - stoppedAtMs;
        console.log(`from TMKMS: ${Math.round(tookMs)} ms from its stop to the first signature`);
        await node.waitForHeight((await node.rpc.height()) + 5, 60_000);
        expect((await hekate(args)).code).toBe(0);
      },
    ],
    [
      /^hekate state show /,
      async (args) => {
        await started.stop();
        const run = await hekate([...args, '--json']);
        const shown = JSON.parse(run.stdout) as readonly {
          watermark: { height: string; round: number; step: number };
        }[];
        const places = shown.map(({ watermark }) => ({ ...watermark, height: BigInt(watermark.height) }));
        expect(places).toHaveLength(3);
        highest = places.reduce((most, place) => (compareHrs(place, most) > 0 ? place : most));
        const { height, round, step } = highest;
        const state = { height: height.toString(), round: round.toString(), step: step - 1, block_id: null };
        writeFileSync(tmkms.stateFile, JSON.stringify(state));
        expect(compareHrs(parseTmkmsState(JSON.stringify(state)).watermark, highest)).toBe(0);
      },
    ],
    [/^mv /, move],
    [
      /^systemctl enable --now tmkms$/,
      async () => {
        tmkms.start();
        await node.waitForHeight((await node.rpc.height()) + 4, 60_000);
      },
    ],
  ]);
  const after = signedPlaces(tmkms.logFile).slice(before.length);
  expect(after.length).toBeGreaterThan(6);
  expectInTurn(before, started.signed(), after);
  await everyCommitHolds(node, chainId);
});
