import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VoteToSign } from '../../sentry-link/vote-to-sign.js';
import type { Carried } from '../../src/shared/coordination/messages.js';
import { must } from '../../src/shared/invariant.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { answerBytes, type WaitAnswer, type WaitQuestion } from '../../src/shared/watermark/wait-messages.js';
import { signatureOf } from '../support/test-keys.js';
import type { Cluster } from './cluster.js';
import { isAmong, LyingScene } from './lying-scene.js';
import { at, HEIGHT, Scene, SETTLED_MS, type Putting } from './scene.js';
import { CHAIN } from './votes.js';

// The table under "What it survives without a second signature for one place" in docs/invariants.md, row by row. Whether there
// is a second signature is never asked of the code: shares are added up and verified (signed-blocks.ts). Where the table says no,
// a test shows why: it is to fail once the code can do more, and the table is to say so then.

const SHAPES = ['2-of-3', '3-of-5', '3-of-4', '5-of-9'] as const;
type Cells = readonly [string, string, string, string];

const DOWN = 'hosts down, still signing (n-t)';
const FORGET = 'hosts that forget during one wait: lost writes, a snapshot (t-1)';
const DEAD = 'others dead while one rebooted host comes back by itself, no height sat out (t-2)';
const LIARS = 'lying cosigners, nobody forgot (2t-n-1)';
const LIAR_AND_FORGETFUL = 'a liar and a forgetful host';
const LYING_LINKS = 'lying links, any number (but for sitting out)';
const SITS_OUT = 'one forgot and sits a height out while a link lies, or the node is behind';
const POWER_LOSS = 'power loss of the whole cluster, all back';
const ALL_FORGOT = 'all t signers of one signature forgot it; a virtual machine put back _with its memory_';

const TABLE: ReadonlyMap<string, Cells> = new Map([
  [DOWN, ['1', '2', '1', '4']],
  [FORGET, ['1', '2', '2', '4']],
  [DEAD, ['0', '1', '1', '3']],
  [LIARS, ['0', '0', '1', '0']],
  [LIAR_AND_FORGETFUL, ['no', 'no', 'no', 'no']],
  [LYING_LINKS, ['yes, at the cost of votes', 'yes', 'yes', 'yes']],
  [SITS_OUT, ['no', 'no', 'yes, if only one forgot', 'no']],
  [POWER_LOSS, ['goes on by itself', 'same', 'same', 'same']],
  [ALL_FORGOT, ['not promised', 'same', 'same', 'same']],
]);

it('docs/invariants.md has this very table', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/invariants.md'), 'utf8');
  const [, section = ''] = text.split('\nWhat it survives without a second signature for one place:\n');
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const cells = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1));
  const [head, , ...rows] = cells.map((row) => row.map((cell) => cell.trim()));
  expect(head).toEqual(['', ...SHAPES]);
  expect(rows).toEqual([...TABLE].map(([name, row]) => [name, ...row]));
});

interface Column {
  readonly t: number;
  readonly count: number;
}

const COLUMNS: readonly (readonly [name: string, column: Column])[] = SHAPES.map((shape) => {
  const [t = 0, count = 0] = shape.split('-of-').map(Number);
  return [shape, { t, count }];
});

/** `n`: what the table says in each column of a row with numbers. */
function cells(row: string): readonly (readonly [name: string, n: number, column: Column])[] {
  return COLUMNS.map(([name, column], i) => [name, Number(TABLE.get(row)?.[i]), column]);
}

describe(DOWN, () => {
  it.each(cells(DOWN))(
    '%s: with %s down votes are signed, with one more they are refused',
    async (_name, n, { t, count }) => {
      const scene = await Scene.start(t, count);
      await scene.onlyThere(scene.all.slice(n));
      expect(await scene.sign(HEIGHT)).toBe('signed 500');
      await scene.onlyThere(scene.all.slice(n + 1));
      expect(await scene.sign(HEIGHT + 1)).toBe('QUORUM_LOST');
      expect(scene.blocks.at(HEIGHT + 1)).toEqual([]);
      expect(scene.cluster.faults).toEqual([]);
    },
  );
});

/** None is dead, and nobody else knows of the signature. */
describe(FORGET, () => {
  describe.each(cells(FORGET))('%s: %s of the signers forget what they signed', (_column, n, { t, count }) => {
    it.each<[name: string, how: Putting]>([
      ['their hosts were rebooted', 'rebooted'],
      ['their run-time folders are kept', 'its disk alone'],
    ])('%s: another block there is never signed, and the next height is', async (_name, how) => {
      const scene = await Scene.start(t, count);
      const { cluster, all } = scene;
      const before = scene.copies();
      const signers = all.slice(0, t);
      await scene.onlyThere(signers);
      expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
      const forgetful = signers.slice(0, n);
      const remember = signers.slice(n);
      for (const id of signers) cluster.killCosigner(id);
      for (const id of forgetful) scene.putBack(id, before, how);
      await scene.newLink();

      // Those that remember are away; the rest would be enough.
      await scene.onlyThere(all.filter((id) => !remember.includes(id)));
      await cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual(expect.arrayContaining([...forgetful]));
      for (let i = 0; i < 3; i++) expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);

      await scene.onlyThere(all);
      await cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual([]);
      expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
      expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A']);
      expect(cluster.faults).toEqual([]);
    });
  });
});

describe(DEAD, () => {
  const sides = cells(DEAD).flatMap(([name, n, column]) => [
    [name, n, false, column] as const,
    [name, n + 1, true, column] as const,
  ]);
  it.each(sides)(
    '%s, %s dead: one rebooted host still waits after 3 s: %s',
    async (_name, dead, waits, { t, count }) => {
      const scene = await Scene.start(t, count);
      const alive = scene.all.slice(0, count - dead);
      await scene.onlyThere(alive);
      scene.cluster.killCosigner(1);
      scene.cluster.cosigner(1).runFolder.clear();
      await scene.onlyThere(alive);
      await scene.cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual(waits ? [1] : []);
      if (waits) return;
      await scene.onlyThere(scene.all.slice(0, t));
      expect(await scene.sign(HEIGHT)).toBe('signed 500');
    },
  );
});

/**
 * Two links that lie lead at once. Of those that do not lie so many are asked for one block first and the others for the other
 * one, and then every t that there are for both.
 */
async function askForTwo(scene: Scene, height: number, liars: readonly number[], first: number): Promise<void> {
  const { all, threshold } = scene;
  const honest = all.filter((id) => !liars.includes(id));
  const [one, other] = [scene.lyingLink('a'), scene.lyingLink('b')];
  for (const link of [one, other]) await link.meet();
  const parts = [honest.slice(0, first), honest.slice(first)] as const;
  const sets = subsets(all, threshold);
  for (const [link, block, part] of [
    [one, 'A', parts[0]],
    [other, 'B', parts[1]],
  ] as const)
    for (const id of part) {
      const signers = sets.find((set) => set.includes(id))!;
      await link.ask(signers, at(height, block), [id]);
    }
  for (const signers of sets) {
    await one.ask(signers, at(height, 'A'));
    await other.ask(signers, at(height, 'B'));
  }
  for (const link of [one, other]) link.close();
}

function subsets(of: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return of.flatMap((id, i) => subsets(of.slice(i + 1), size - 1).map((rest) => [id, ...rest]));
}

async function withLiars({ t, count }: Column, liars: readonly number[]): Promise<Scene> {
  const scene = await Scene.start(t, count);
  await scene.takeOver(liars);
  scene.noLink();
  // No lease is left that would keep a second link from being served.
  await scene.cluster.clock.pass(2_000);
  return scene;
}

describe(LIARS, () => {
  it.each(cells(LIARS))(
    '%s: with %s of them no place has two signatures, whichever t are asked',
    async (_name, n, column) => {
      const liars = idsUpTo(n);
      const scene = await withLiars(column, liars);
      const honest = column.count - n;
      for (let first = 0; first <= honest; first++) {
        await askForTwo(scene, HEIGHT + first, liars, first);
        expect(scene.blocks.at(HEIGHT + first).length).toBeLessThanOrEqual(1);
      }
      // There is one where all were asked for the same block: it is not that nothing was signed at all.
      expect([scene.blocks.at(HEIGHT), scene.blocks.at(HEIGHT + honest)]).toEqual([['B'], ['A']]);
      expect(scene.cluster.faults).toEqual([]);
    },
  );

  it.each(cells(LIARS))(
    'what is not promised, and why: %s with one more than %s: two halves of the others',
    async (_name, n, column) => {
      const liars = idsUpTo(n + 1);
      const scene = await withLiars(column, liars);
      await askForTwo(scene, HEIGHT, liars, column.t - liars.length);
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );
});

function idsUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

describe(LIAR_AND_FORGETFUL, () => {
  it.each(COLUMNS)(
    'what is not promised, and why: %s: the liar answers in place of those that remember, who are dead',
    async (_name, { t, count }) => {
      const [liar, forgetful] = [1, 2];
      const scene = await Scene.start(t, count);
      await scene.takeOver([liar]);
      const before = scene.copies();
      const signers = scene.all.slice(0, t);
      await scene.onlyThere(signers);
      expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
      await scene.onlyThere([liar]);
      scene.putBack(forgetful, before, 'rebooted');
      await scene.newLink();
      await scene.onlyThere([liar, forgetful, ...scene.all.slice(t)]);
      await scene.cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual([]);
      await scene.sign(HEIGHT, 'B');
      expect(scene.blocks.hasShare(forgetful, HEIGHT, 'B')).toBe(true);
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );
});

/** Where nothing was signed yet. */
const LOW = { height: BigInt(HEIGHT - 1), round: 0, step: 3 } as const;

type Forge = (said: Carried, lies: LyingScene) => readonly Carried[];

/** Whenever one that waits asks the one that remembers. */
const instead =
  (forge: (question: WaitQuestion, lies: LyingScene) => readonly Carried[]): Forge =>
  (said, lies) =>
    said.kind === 'waitQuestion' && said.asked === lies.remembers ? forge(said, lies) : [];
/** What it would say that remembers nothing. */
const answering = ({
  chainId,
  groupPublicKey,
  asker,
  asked,
  question,
}: WaitQuestion): Omit<WaitAnswer, 'signature'> => ({
  ...{ kind: 'waitAnswer', chainId, groupPublicKey, asker, answerer: asked, question, place: LOW, waiting: false },
});
const oldAnswer = ({ old }: LyingScene, asker: number): readonly WaitAnswer[] => {
  const answer = old.get(asker);
  return answer === undefined ? [] : [answer];
};
/** As that cosigner says it of another chain or key, and then said to be of this one. */
const ofAnother =
  (other: Partial<Pick<WaitAnswer, 'chainId' | 'groupPublicKey'>>): Forge =>
  (said, lies) =>
    instead((question) => {
      const answer = answering(question);
      const its = { ...answer, ...other };
      const signature = signatureOf(lies.remembers, answerBytes(its));
      return [
        { ...its, signature },
        { ...answer, signature },
      ];
    })(said, lies);

/** Of 2-of-3 there is no other. */
const OF_OTHERS_THAT_WAIT = 'of others that wait, as if they did not';
const FORGED: readonly [name: string, forge: Forge][] = [
  ['with a random signature', instead((asked) => [{ ...answering(asked), signature: new Uint8Array(32).fill(7) }])],
  [
    'with the identity of another cosigner',
    instead((asked, { stranger }) => {
      const answer = answering(asked);
      return [{ ...answer, signature: signatureOf(stranger, answerBytes(answer)) }];
    }),
  ],
  [
    'that another cosigner gave',
    (said, { remembers, stranger }) => {
      if (said.kind === 'waitQuestion') return said.asked === stranger ? [said] : [];
      return [{ ...said, answerer: remembers }];
    },
  ],
  ['that it gave in an earlier wait', instead(({ asker }, lies) => oldAnswer(lies, asker))],
  [
    'that it gave in an earlier wait, to what is asked now',
    instead(({ asker, question }, lies) => oldAnswer(lies, asker).map((answer) => ({ ...answer, question }))),
  ],
  ['that it gives for another chain', ofAnother({ chainId: 'test-2' })],
  ['that it gives for another key', ofAnother({ groupPublicKey: new Uint8Array(32).fill(9) })],
  [
    'that it gives, with a lower place',
    (said, { remembers }) => {
      if (said.kind === 'waitQuestion') return said.asked === remembers ? [said] : [];
      return said.answerer === remembers ? [{ ...said, place: LOW }] : [];
    },
  ],
  [
    OF_OTHERS_THAT_WAIT,
    (said) => {
      if (said.kind === 'waitQuestion') return [said];
      return said.waiting ? [{ ...said, waiting: false }] : [];
    },
  ],
  ['that never comes', () => []],
];

describe(LYING_LINKS, () => {
  describe.each(COLUMNS)('%s', (_column, column) => {
    const forged = FORGED.filter(([name]) => column.t > 2 || name !== OF_OTHERS_THAT_WAIT);
    it.each(forged)('an answer %s: they go on waiting', async (_name, forge) => {
      const lies = await LyingScene.start(column.t, column.count, 'all');
      const { scene, link, other } = lies;
      other.carry = (said) => forge(said, lies);
      await lies.lie();
      expect(scene.waiting()).toEqual(lies.forgetful);
      const request = await link.ask(lies.second, at(HEIGHT, 'B'));
      for (const id of lies.forgetful) expect(link.told(id, request)).toBe('WAITING');
      await lies.end('A');
    });

    it('nothing is carried: they go on waiting', async () => {
      const lies = await LyingScene.start(column.t, column.count, 'all');
      lies.link.carry = () => [];
      await lies.lie();
      expect(lies.scene.waiting()).toEqual(lies.forgetful);
      await lies.link.ask(lies.second, at(HEIGHT, 'B'));
      await lies.end('A');
    });

    it.each<[name: string, order: readonly ('old' | 'new')[]]>([
      ['before another block is', ['old', 'new']],
      ['after another block is', ['new', 'old']],
    ])('a share that was held back is asked for %s: it is void', async (_name, order) => {
      const lies = await LyingScene.start(column.t, column.count, 'forgetful');
      const { scene, link, remembers, first } = lies;

      link.carry = (said) => [said];
      await lies.lie();
      expect(scene.waiting()).toEqual([]);
      for (const which of order)
        if (which === 'old') await link.send(first, [remembers]);
        else await link.ask(lies.second, at(HEIGHT, 'B'));
      expect(link.told(remembers, first)).toBe('NONCE_UNKNOWN');
      await lies.end('B');
    });

    it.each<[name: string, shown: (cluster: Cluster) => Proof]>([
      ['for the other block', ({ publicKey }) => showing(publicKey, at(HEIGHT, 'B'))],
      ['for a place far up', ({ publicKey }) => showing(publicKey, at(HEIGHT + 1_000, 'B'))],
      ['but one by another key', () => signedByAnotherKey(at(HEIGHT, 'B'))],
      ['of nothing', ({ publicKey }) => ({ ...showing(publicKey, at(HEIGHT)), signBytes: new Uint8Array(90).fill(7) })],
    ])('what is shown is no signature, %s: nobody learns it', async (_name, shown) => {
      const lies = await LyingScene.start(column.t, column.count, 'all');
      const { scene, link, other } = lies;
      await lies.lie();
      for (const id of scene.all) other.say(id, { kind: 'proof', proof: shown(scene.cluster) });
      await scene.cluster.clock.pass(SETTLED_MS);
      await link.ask(lies.second, at(HEIGHT, 'B'));
      await lies.end('A');
    });
  });
});

function showing(groupPublicKey: Uint8Array, { signBytes }: VoteToSign): Proof {
  return { chainId: CHAIN, groupPublicKey, signBytes: signBytes.bytes, signature: new Uint8Array(64).fill(1) };
}

function signedByAnotherKey(vote: VoteToSign): Proof {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const proof = showing(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)), vote);
  return { ...proof, signature: new Uint8Array(sign(null, proof.signBytes, privateKey)) };
}

/** Longer than it takes until a height is sat out. */
const SAT_OUT_MS = 32_000;

/** A block is signed at HEIGHT by the first t. All that signed it are stopped then, and the first `forget` have forgotten it. */
async function stopAndForget(scene: Scene, forget: number, how: Putting = 'rebooted'): Promise<readonly number[]> {
  const before = scene.copies();
  const signers = scene.all.slice(0, scene.threshold);
  await scene.onlyThere(signers);
  expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
  const forgetful = signers.slice(0, forget);
  for (const id of signers) scene.cluster.killCosigner(id);
  for (const id of forgetful) scene.putBack(id, before, how);
  scene.noLink();
  return forgetful;
}

/** So many of the signers that a second block can do without the others of them. */
const LEAST_FORGETFUL = COLUMNS.map(([name, column]) => [name, 2 * column.t - column.count, column] as const);

/** The node is a height behind, and asks all the time. */
async function askBelow(scene: Scene): Promise<void> {
  for (let passedMs = 0; passedMs < SAT_OUT_MS; passedMs += 4_000) {
    await scene.sign(HEIGHT - 1);
    await scene.cluster.clock.pass(4_000);
  }
  await scene.sign(HEIGHT - 1);
}

describe(SITS_OUT, () => {
  const why = 'what is asked for first counts as the height in doubt, and is one below';

  it.each(LEAST_FORGETFUL)(
    `what is not promised, and why: %s, %s forgot, the node is behind: ${why}`,
    async (_name, forget, { t, count }) => {
      const scene = await Scene.start(t, count);
      const forgetful = await stopAndForget(scene, forget);
      await scene.newLink();
      await scene.onlyThere([...forgetful, ...scene.all.slice(t)]);
      await askBelow(scene);
      await scene.sign(HEIGHT, 'B');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );

  it.each(LEAST_FORGETFUL)(
    `what is not promised, and why: %s, %s forgot, a link lies: ${why}`,
    async (_name, forget, { t, count }) => {
      const scene = await Scene.start(t, count);
      const forgetful = await stopAndForget(scene, forget);
      const second = [...forgetful, ...scene.all.slice(t)];
      const link = scene.lyingLink();
      link.carry = (said) => (isAmong(second, said) ? [said] : []);
      await scene.onlyThere(scene.all);
      await link.meet();
      await scene.cluster.clock.pass(SAT_OUT_MS);
      expect(scene.waiting()).toEqual(expect.arrayContaining([...forgetful]));
      await link.ask(second, at(HEIGHT - 1), forgetful);
      await link.ask(second, at(HEIGHT, 'B'));
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );

  const ONLY = { t: 3, count: 4 };
  const FORGETFUL = 1;

  // All were rebooted, for the others of 3-of-4 would be enough to go on at once. 2 and 3 remember.
  it.each<[heard: readonly number[], signsOn: boolean]>([
    [[2, 3], true],
    [[2, 4], true],
    [[3, 4], true],
    [[4], false],
  ])('3-of-4, only one forgot, a link lies: it hears %j alone: it signs on: %s', async (heard, signsOn) => {
    const scene = await Scene.start(ONLY.t, ONLY.count);
    await stopAndForget(scene, 1);
    scene.powerLoss();
    const link = scene.lyingLink();
    link.carry = (said) => (isAmong([FORGETFUL, ...heard], said) ? [said] : []);
    await scene.onlyThere(scene.all);
    await link.meet();
    await scene.cluster.clock.pass(SAT_OUT_MS);
    expect(scene.waiting()).toEqual(scene.all);
    for (const height of [HEIGHT - 1, HEIGHT])
      for (const signers of subsets(scene.all, ONLY.t)) await link.ask(signers, at(height, 'B'));
    expect(scene.blocks.hasShare(FORGETFUL, HEIGHT, 'B')).toBe(false);
    expect(scene.blocks.at(HEIGHT)).toEqual(['A']);
    const trio = subsets(scene.all, ONLY.t).find((set) => [FORGETFUL, ...heard].every((id) => set.includes(id)));
    await link.ask(must(trio, 'all that it hears'), at(HEIGHT + 1));
    expect(scene.waiting().includes(FORGETFUL)).toBe(!signsOn);
    expect(scene.blocks.hasShare(FORGETFUL, HEIGHT + 1, 'A')).toBe(signsOn);
    expect(scene.cluster.faults).toEqual([]);
  });

  it.each([2, 3, 4])(
    '3-of-4, only one forgot, the node is behind: %i is dead, the next height is signed',
    async (dead) => {
      const scene = await Scene.start(ONLY.t, ONLY.count);
      await stopAndForget(scene, 1);
      scene.powerLoss();
      await scene.newLink();
      await scene.onlyThere(scene.all.filter((id) => id !== dead));
      await askBelow(scene);
      expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
      expect(scene.blocks.hasShare(FORGETFUL, HEIGHT, 'B')).toBe(false);
      expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A']);
      expect(scene.cluster.faults).toEqual([]);
    },
  );
});

describe(POWER_LOSS, () => {
  it.each(COLUMNS)('%s: goes on by itself', async (_name, { t, count }) => {
    const scene = await Scene.start(t, count);
    const { cluster, all } = scene;
    scene.powerLoss();
    const waits = cluster.logged('waits until it has heard the others').length;
    await scene.onlyThere(all);
    await cluster.clock.pass(SETTLED_MS);
    expect(cluster.logged('waits until it has heard the others')).toHaveLength(waits + all.length);
    expect(scene.waiting()).toEqual([]);
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
    expect(cluster.logged('signs on: this height was sat out')).toEqual([]);
  });
});

describe(ALL_FORGOT, () => {
  it.each(COLUMNS)(
    'what is not promised, and why: %s, all signers forgot it: it was known to their disks alone',
    async (_name, { t, count }) => {
      const scene = await Scene.start(t, count);
      await stopAndForget(scene, t);
      await scene.newLink();
      await scene.onlyThere(scene.all);
      await scene.cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual([]);
      await scene.sign(HEIGHT, 'B');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );

  it.each(COLUMNS)(
    '%s, all signers forgot it, and `state recover` raised every one before the first signed: no second one',
    async (_name, { t, count }) => {
      const scene = await Scene.start(t, count);
      const { cluster, all } = scene;
      await stopAndForget(scene, t);
      scene.powerLoss();
      // No link is there yet: none of them hears anybody.
      await scene.onlyThere(all);
      expect(scene.waiting()).toEqual(all);
      const newestOfNode = HEIGHT - 1;
      for (const { process } of cluster.cosigners) {
        void process?.recover(CHAIN, BigInt(newestOfNode + 1));
        await cluster.clock.pass(5);
      }
      expect(scene.waiting()).toEqual([]);
      await scene.newLink();
      expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
      expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A']);
      expect(cluster.faults).toEqual([]);
    },
  );

  it.each(LEAST_FORGETFUL)(
    'what is not promised, and why: %s, put back with its memory, %s of the signers: no start, no wait',
    async (_name, machines, { t, count }) => {
      const scene = await Scene.start(t, count);
      // The run-time folder is memory: with it, a process that goes on is what was there before.
      const forgetful = await stopAndForget(scene, machines, 'with its memory');
      await scene.newLink();
      await scene.onlyThere([...forgetful, ...scene.all.slice(t)]);
      expect(scene.waiting()).toEqual([]);
      // A leader is there.
      await scene.cluster.clock.pass(SETTLED_MS);
      await scene.sign(HEIGHT, 'B');
      expect(scene.blocks.at(HEIGHT)).toEqual(['A', 'B']);
    },
  );
});
