import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../sim/prng.js';
import { hekate } from '../support/cli-run.js';
import { Cleanup } from '../support/cleanup-tasks.js';
import { eventually } from '../support/eventually.js';
import { TestFolder } from '../support/project.js';
import { guardAgainstLeftFolder } from '../support/orphan-guard.js';
import { CometValidator } from './comet-validator.js';
import { SIGNERS, type EvidenceResult, type Signer } from './evidence-report.js';
import { Ground, THRESHOLD } from './ground.js';
import { SignatureBook } from './signature-book.js';
import { noWires } from './wires.js';

export interface EvidenceRun {
  /** Of each network. */
  readonly heights: number;
  readonly seed: number;
  /** Progress. */
  readonly say: (line: string) => void;
  readonly onResult: (result: EvidenceResult) => void;
  readonly cleanup: Cleanup;
}

const SWITCH_EVERY_MS = 20_000;
/** A node that was killed is started again after this: the other one was served for a while, and both run for as long. */
const BACK_MIN_MS = 7_000;
const BACK_MAX_MS = 10_000;
const STARTED_MS = 120_000;
/** What was seen of two votes is in a block soon after. */
const HEIGHTS_AFTER = 5;

/** Four validators, ours on two nodes that are switched every 20 s: once behind hekate, once each with a copy of the key. */
export async function runEvidence(run: EvidenceRun): Promise<void> {
  for (const signer of SIGNERS) {
    const own = new Cleanup();
    const close = (): Promise<void> => own.run(false);
    run.cleanup.add(close);
    try {
      run.onResult(await switched(signer, run, own));
    } finally {
      await close();
    }
  }
}

async function switched(signer: Signer, { heights, seed, say }: EvidenceRun, own: Cleanup): Promise<EvidenceResult> {
  say(`starting the network, signed for by ${signer} …`);
  // A port that was free may be taken once a node wants it.
  const { validator, book, use } = await start(signer, own).catch(async () => {
    await own.run(false);
    return start(signer, own);
  });
  const random = new Prng(seed);
  validator.beginCount();
  const from = await validator.height();
  let [switches, at] = [0, from];
  for (let next = performance.now() + SWITCH_EVERY_MS; at < from + heights; at = await validator.height()) {
    await delay(Math.min(1_000, Math.max(0, next - performance.now())));
    if (performance.now() < next) continue;
    next += SWITCH_EVERY_MS;
    // Without hekate nobody is served more than the other.
    const served = signer === 'hekate' ? validator.servedNode() : Math.floor(switches / 2) % validator.nodes;
    if (switches % 2 === 0) await killed(validator, served, random);
    else await use(1 - served);
    switches++;
    const evidence = (await validator.evidence()).length;
    say(`  height ${await validator.height()}: ${switches} switches, evidence in blocks: ${evidence}`);
  }
  await eventually('some more blocks', STARTED_MS, async () => {
    return (await validator.height()) >= at + HEIGHTS_AFTER || undefined;
  });
  const evidence = await validator.evidence();
  const { asked, missed } = await validator.counts();
  const [first = ''] = evidence;
  return { signer, heights: asked, switches, missed, evidence: evidence.length, first, doubles: book.doubles().length };
}

interface Started {
  readonly validator: CometValidator;
  readonly book: SignatureBook;
  /** Has that node served from now on, where anybody can. */
  readonly use: (node: number) => Promise<void>;
}

async function start(signer: Signer, own: Cleanup): Promise<Started> {
  const test = new TestFolder('evidence');
  const folder = test.path;
  own.add(() => test.remove());
  if (process.env['HEKATE_KEEP_TEST_FILES'] === undefined) guardAgainstLeftFolder(folder);
  const book = new SignatureBook(THRESHOLD);
  const network = { folder, book, chainId: 'evidence-1', validators: 4, twins: 1, timeoutCommit: '500ms' };
  if (signer === 'hekate') {
    const validator = await CometValidator.create(network);
    const { cluster, evidence } = await Ground.start({ folder, book, validator, cleanup: own, wires: noWires() });
    own.add(() => evidence.stop());
    const use = async (node: number): Promise<void> => {
      const { code, err } = await hekate(
        'node',
        'use',
        `tcp://127.0.0.1:${validator.ports[node] ?? 0}`,
        cluster.folder,
      );
      if (code !== 0) throw new Error(`hekate node use: ${err}`);
    };
    return { validator, book, use };
  }
  const validator = await CometValidator.create({ ...network, unprotected: true });
  own.add(() => validator.stop());
  await validator.start();
  await eventually('blocks', STARTED_MS, async () => ((await validator.height()) >= 2 ? true : undefined));
  return { validator, book, use: async () => undefined };
}

async function killed(validator: CometValidator, node: number, random: Prng): Promise<void> {
  await validator.crashNode(node);
  await delay(random.between(BACK_MIN_MS, BACK_MAX_MS));
  await validator.startNode(node);
}
