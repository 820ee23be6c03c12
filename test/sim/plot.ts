import type { LyingLink } from './lying-link.js';
import type { Prng } from './prng.js';
import type { SimCosigner } from './sim-cosigner.js';

/** Longest that somebody waits here for a disk, or for the end of a wait. */
const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 50;

export interface PlotWorld {
  readonly random: Prng;
  readonly threshold: number;
  readonly cosigners: readonly SimCosigner[];
  /** The faults go on. */
  readonly going: () => boolean;
  readonly after: (ms: number) => Promise<void>;
  readonly stop: (cosigner: SimCosigner, how: 'kill' | 'crash' | 'hands', forMs: number) => void;
  /** False: one host more than may forget. */
  readonly mayForget: (cosigner: SimCosigner) => boolean;
  /** Their newest signatures are gone with them. */
  readonly crashLinks: () => void;
  readonly recover: (cosigner: SimCosigner, chainId: string) => Promise<void>;
}

/**
 * The worst that a lying link and a disk that forgets can do together (docs/invariants.md, W1 to W4, W6 and W8): t are asked for
 * a vote, some of them not before its end; as many as may forget it do, the others are dead; then those that have forgotten are
 * asked for another vote there, with who never heard of the first. They are restarted meanwhile, by hand or with another
 * run-time folder, or an operator ends their wait. False: it came to nothing.
 */
export async function plot(world: PlotWorld, liar: LyingLink, chainId: string): Promise<boolean> {
  const { random, after } = world;
  const { forgetful, signers, others, asked } = drawCast(world);
  const byHand = random.chance(0.25);
  const copies = new Map<SimCosigner, ReadonlyMap<string, Uint8Array>>();
  for (const one of forgetful) copies.set(one, byHand ? await startElsewhere(world, one) : one.copy());
  if (!world.going() || !world.cosigners.every((one) => one.runs && !one.waits)) return false;
  const ids = (cosigners: readonly SimCosigner[]): readonly number[] => cosigners.map(({ id }) => id);
  const cast = { signers: ids(signers), asked: ids(asked), forgetful: ids(forgetful), others: ids(others) };
  if (!liar.plots({ chainId, ...cast })) return false;

  await after(random.between(60, 250));
  const begins = world.going() && liar.pursues();
  if (begins) {
    for (const one of asked) if (!forgetful.includes(one)) world.stop(one, 'crash', random.between(3_000, 6_000));
    for (const one of forgetful) forget(world, one, copies.get(one)!, byHand || random.chance(0.5));
    if (random.chance(0.7)) world.crashLinks();
    if (random.chance(0.4)) await restartWhileWaiting(world, forgetful);
    if (random.chance(0.3)) {
      await after(random.between(100, 600));
      for (const one of forgetful) await world.recover(one, chainId);
    }
    await after(4_000);
  }
  liar.givesUp();
  return begins;
}

interface Cast {
  readonly forgetful: readonly SimCosigner[];
  readonly signers: readonly SimCosigner[];
  readonly others: readonly SimCosigner[];
  readonly asked: readonly SimCosigner[];
}

/** So many forget that the second block can do without those of the first that remember. */
function drawCast({ random, threshold, cosigners }: PlotWorld): Cast {
  const shuffled = cosigners
    .map((one) => ({ one, at: random.unit() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
  const least = Math.max(1, 2 * threshold - cosigners.length);
  const forgetful = shuffled.slice(0, least + random.below(threshold - least));
  const byId = (some: readonly SimCosigner[]): readonly SimCosigner[] => [...some].sort((a, b) => a.id - b.id);
  const signers = shuffled.slice(0, threshold);
  const unaware = shuffled.slice(threshold, threshold + threshold - forgetful.length);
  const left = random.pick(['none', 'all', 'all', 'some'] as const);
  const asked = signers.filter(
    (one) => forgetful.includes(one) || left === 'all' || (left === 'some' && random.chance(0.5)),
  );
  return { forgetful, signers: byId(signers), others: byId([...forgetful, ...unaware]), asked };
}

/** Somebody stops it, and starts it by hand with another run-time folder. What its disk held in between is given back. */
async function startElsewhere(world: PlotWorld, one: SimCosigner): Promise<ReadonlyMap<string, Uint8Array>> {
  world.stop(one, 'kill', 2 * PATIENCE_MS);
  await until(world, () => one.runs || !one.disk.writing);
  const copy = one.copy();
  if (one.runs) return copy;
  one.useRunFolder('other');
  world.stop(one, 'kill', 10);
  await until(world, () => !one.waits);
  return copy;
}

function forget(
  world: PlotWorld,
  one: SimCosigner,
  copy: ReadonlyMap<string, Uint8Array>,
  keepsRunFolder: boolean,
): void {
  world.stop(one, keepsRunFolder ? 'hands' : 'crash', world.random.between(10, 300));
  if (one.runs || !world.mayForget(one)) return;
  one.putBackTo(copy);
  one.useRunFolder('usual');
}

/** The processes alone, which must not be taken for a reason to go on. */
async function restartWhileWaiting(world: PlotWorld, some: readonly SimCosigner[]): Promise<void> {
  await until(world, () => some.every((one) => one.runs));
  await world.after(world.random.between(5, 300));
  for (const one of some) if (one.runs && one.waits) world.stop(one, 'kill', world.random.between(10, 300));
}

async function until({ after, going }: PlotWorld, holds: () => boolean): Promise<void> {
  for (let passedMs = 0; passedMs < PATIENCE_MS && going() && !holds(); passedMs += LOOK_EVERY_MS)
    await after(LOOK_EVERY_MS);
}
