import { formatHostPort } from '../shared/config/host-port.js';
import { describePlace } from '../shared/watermark/watermark.js';
import type { Applied, Target } from '../setup/migrate/apply.js';
import type { ShardHomes } from '../setup/migrate/horcrux/shard-home.js';
import type { MigrationPlan, PlannedChain } from '../setup/migrate/plan.js';
import { describeFloor, describeWatermark } from '../setup/state-report.js';

/** How the old signer is kept from starting, how it is started again, and its state file for CometBFT's height H, round R, step S. */
export interface OldWays {
  readonly stateFile: string;
  readonly away: string;
  readonly start: string;
  /** What must be destroyed in the end, where that is not the whole key. */
  readonly copies?: string;
}

/** Where to; a shard alone becomes parts of the home of its cosigner. */
export type Destination = Target | { readonly kind: 'shard'; readonly dir: string };

export const WAYS_ON: readonly string[] = [
  'Nothing was written. To write it, add --apply with --out DIR --threshold T --cosigner HOST:PORT…, or with --into CLUSTER.',
];

export function describePlan(plan: MigrationPlan, target: Destination | undefined): readonly string[] {
  return [
    `Found: ${plan.name}`,
    ...plan.chains.flatMap(describeChain),
    ...section('Note', plan.notes),
    ...section('Shows that it is stopped', plan.proofs),
    ...section('Could not be proved', plan.unproven),
    ...(plan.refusals.length > 0
      ? ['Cannot go on; nothing was written.']
      : [
          `Is written${target === undefined ? '' : ` to ${target.dir}`}${describeShape(target)}`,
          ...plan.chains.map(describeStart),
        ]),
  ];
}

function describeChain({
  chainId,
  address,
  keyFrom,
  stateFile,
  lastSigned,
  nodes,
  notes,
}: PlannedChain): readonly string[] {
  const signed = lastSigned === undefined ? 'unknown: no state file' : `${describePlace(lastSigned)} (${stateFile})`;
  return [
    `  ${chainId}: validator ${address}`,
    `    key: ${keyFrom}`,
    `    signed last: ${signed}`,
    `    nodes: ${nodes.length === 0 ? 'none' : nodes.join(', ')}`,
    ...notes.map((note) => `    note: ${note}`),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function describeShape(target: Destination | undefined): string {
  if (target?.kind !== 'new') return ':';
  const { threshold, cosigners, links } = target.shape;
  return `: ${threshold} of ${cosigners.length} cosigners (${cosigners.map(formatHostPort).join(', ')}) sign, ${links} sentry-links`;
}

function describeStart({ chainId, start }: PlannedChain): string {
  return `  ${chainId}: the watermark of every cosigner ${start === undefined ? 'is unknown' : `${describeFloor(start.start)}, by ${start.from}`}`;
}

export function describeApplied(
  plan: MigrationPlan,
  target: Target | undefined,
  applied: Applied,
  old: OldWays,
): readonly string[] {
  const { written, there } = applied;
  const keys = [...new Set(plan.chains.map(({ keyFrom }) => keyFrom))].join(', ');
  const isInto = target?.kind === 'into';
  const dir = target?.dir ?? '';
  return [
    ...(written.length > 0 ? [`Written: ${written.join(', ')} in ${dir}.`] : []),
    ...(there.length > 0 ? [`There already, with the same key: ${there.join(', ')}.`] : []),
    '',
    'Next:',
    `  1. ${old.away}: ${keys}`,
    isInto
      ? '  2. Copy the new chains/ and state/ entries and the changed TOML files to their hosts.'
      : `  2. Copy each folder to its host and delete it here; ${dir}/README.md says which goes where.`,
    '  3. Start the cosigners, then the sentry-links: hekate cosigner start --home FOLDER, hekate sentry-link start --home FOLDER.',
    `  4. Start the node, or see that it runs; it takes the new signer at ${plan.chains.flatMap(({ nodes }) => nodes).join(', ')}.`,
    '',
    'How to go back:',
    `  As long as hekate has signed nothing (hekate state show): delete its folders and ${old.start} as before.`,
    '  Once it has signed, the state file of the old signer is too old, and with it the old signer would sign twice. Stop every',
    '  cosigner for good, and all sentry-links; take the highest place of ALL cosigners (hekate state show), as height H, round R,',
    `  step S (1 proposal, 2 prevote, 3 precommit); write ${old.stateFile}`,
    `  into the state file of the old signer, never anything below it; then ${old.start}.`,
    'What must be destroyed once you will not go back:',
    `  ${old.copies ?? 'every copy of the whole key but an offline backup'}: ${keys}, and backups and snapshots of that host.`,
    '  Whoever has one of them can sign for the validator, and hekate cannot know of it.',
  ];
}

export function describeShards(
  plan: MigrationPlan,
  { dir, names, written }: ShardHomes,
  old: OldWays,
): readonly string[] {
  const keys = plan.chains.map(({ keyFrom }) => keyFrom).join(', ');
  return [
    `Written: ${written.join(', ')} of ${names.join(', ')} in ${dir}.`,
    '',
    'Next:',
    `  1. ${old.away}: ${keys}`,
    `  2. Move chains/ and state/ of ${dir}/${names[0] ?? ''} into the home of that cosigner, add its [[chain]] section, and bring`,
    '     chains/CHAIN/group.json, which is public, to the homes of the sentry-links.',
    '  3. When that is done on every host: hekate keys verify on their folders, start the cosigners, then the sentry-links.',
    '',
    'How to go back:',
    `  As long as hekate has signed nothing (hekate state show): delete what was written and ${old.start} as before.`,
    '  Once it has signed, stop every cosigner for good; take the highest place of ALL cosigners (hekate state show), as height H,',
    `  round R, step S (1 proposal, 2 prevote, 3 precommit); write ${old.stateFile}`,
    `  into the state files of the old signer on every host, never anything below it; then ${old.start}.`,
    'What must be destroyed once you will not go back:',
    `  ${old.copies ?? 'every copy'}: ${keys}, and backups and snapshots of that host.`,
  ];
}

export function asJson(
  plan: MigrationPlan,
  target: Destination | undefined,
  applied: { readonly written: readonly string[]; readonly there?: readonly string[] } | undefined,
): object {
  return {
    source: plan.name,
    chains: plan.chains.map(({ chainId, address, keyFrom, stateFile, lastSigned, nodes, start, notes }) => ({
      ...{ chainId, validator: address, key: keyFrom, state: stateFile ?? null },
      signedLast: lastSigned === undefined ? null : describeWatermark(lastSigned),
      nodes,
      start: start === undefined ? null : { ...describeWatermark(start.start), by: start.from },
      notes,
    })),
    notes: plan.notes,
    proofs: plan.proofs,
    unproven: plan.unproven,
    refusals: plan.refusals,
    canGoOn: plan.refusals.length === 0,
    target: target === undefined ? null : { kind: target.kind, dir: target.dir },
    written: applied?.written ?? [],
    there: applied?.there ?? [],
  };
}
