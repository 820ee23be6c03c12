// Real CometBFT nodes and a TMKMS for the end-to-end tests and toxiproxy for the chaos run, built once into .cache/bin, and with --node24 a
// Node 24 to run the unit tests on a second time. `npm test` calls this; by hand: `node scripts/fetch-nodes.mjs [--nodeMAJOR]`.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, StepFailed, main, run, say, step } from './steps.mjs';

/** 0.37.2 is what sekaid runs; 0.38 and 0.40 have vote extensions on the classic protocol; 1.0 speaks cometbft.privval.v1. */
export const COMET_VERSIONS = ['v0.37.2', 'v0.38.21', 'v0.40.0', 'v1.0.1'];
/** The same version as in test/chaos/wires.ts. */
export const TOXIPROXY_VERSION = 'v2.12.0';
/** The same version as in test/support/tmkms.ts. */
export const TMKMS_VERSION = '0.15.0';
const CACHE = join(ROOT, '.cache');
const PROGRAMS = [
  ...COMET_VERSIONS.map((version) => ({
    ...{ title: `CometBFT ${version}`, file: `cometbft-${version}`, built: 'cometbft', check: ['version'] },
    module: `github.com/cometbft/cometbft/cmd/cometbft@${version}`,
  })),
  {
    ...{ title: `toxiproxy ${TOXIPROXY_VERSION}`, file: `toxiproxy-${TOXIPROXY_VERSION}`, built: 'server' },
    ...{ check: ['-version'], module: `github.com/Shopify/toxiproxy/v2/cmd/server@${TOXIPROXY_VERSION}` },
  },
];

/** Builds what is missing. Returns the reasons of what could not be had; the tests that need it say so as well. */
export async function fetchNodes() {
  // Side by side: cargo takes minutes, and waits for its registry meanwhile.
  const reasons = await Promise.all([fetchPrograms(), fetchTmkms()]);
  return reasons.flat();
}

async function fetchPrograms() {
  const missing = PROGRAMS.filter(({ file }) => !existsSync(join(CACHE, 'bin', file)));
  if (missing.length === 0) return [];
  const go = await run('go', ['version']).catch((error) => error);
  if (go instanceof Error) {
    return missing.map(({ title }) => `${title} cannot be built: Go 1.25 or newer is needed (${go.message})`);
  }
  const reasons = [];
  for (const program of missing) {
    try {
      await step(`building ${program.title} (about a minute, once)`, () => build(program));
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      reasons.push(`${program.title} could not be built with ${go.trim()}: ${error.message}: ${lastLines(error)}`);
    }
  }
  return reasons;
}

async function fetchTmkms() {
  const title = `TMKMS ${TMKMS_VERSION}`;
  const binary = join(CACHE, 'bin', `tmkms-${TMKMS_VERSION}`);
  if (existsSync(binary)) return [];
  const cargo = await run('cargo', ['--version']).catch((error) => error);
  if (cargo instanceof Error) return [`${title} cannot be built: cargo 1.85 or newer is needed (${cargo.message})`];
  const root = join(CACHE, `build-tmkms-${TMKMS_VERSION}-${process.pid}`);
  const args = ['install', 'tmkms', '--version', TMKMS_VERSION, '--features=softsign', '--locked', '--root', root];
  try {
    await step(`building ${title} (about four minutes, once)`, async () => {
      await run('cargo', args);
      await run(join(root, 'bin', 'tmkms'), ['version']);
      mkdirSync(join(CACHE, 'bin'), { recursive: true });
      renameSync(join(root, 'bin', 'tmkms'), binary);
    });
    return [];
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return [`${title} could not be built with ${cargo.trim()}: ${error.message}: ${lastLines(error)}`];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function lastLines(error) {
  return error.output.trim().split('\n').slice(-3).join(' | ');
}

async function build({ file, built, check, module }) {
  const folder = join(CACHE, `build-${file}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(CACHE, 'bin'), { recursive: true });
  try {
    const env = { ...process.env, GOBIN: folder };
    await run('go', ['install', module], { env });
    await run(join(folder, built), check);
    renameSync(join(folder, built), join(CACHE, 'bin', file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Path of a Node binary of that major version, from the npm package that carries it. It stays out of the project's dependencies. */
export async function fetchNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(CACHE, `node${major}`);
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${major}`];
    await step(`fetching Node ${major}`, () => run('npm', args, { cwd: folder }));
  }
  await run(binary, ['--version']);
  return binary;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    const [, major] = /^--node(\d+)$/.exec(process.argv[2] ?? '') ?? [];
    if (major !== undefined) {
      console.log(await fetchNode(major));
      return;
    }
    const reasons = await fetchNodes();
    for (const reason of reasons) say(reason);
    if (reasons.length > 0) throw new StepFailed('not every test node is there');
  });
}
