import { aligned } from '../bench/table.js';

/** Who signs for a validator on two nodes. */
export const SIGNERS = ['hekate', 'two key files'] as const;
export type Signer = (typeof SIGNERS)[number];

export interface EvidenceResult {
  readonly signer: Signer;
  /** Blocks of the network meanwhile. */
  readonly heights: number;
  readonly switches: number;
  /** Heights whose commit lacks our signature. */
  readonly missed: number;
  /** Pieces of evidence of double signing in these blocks. */
  readonly evidence: number;
  /** The first of them; empty where there is none. */
  readonly first: string;
  /** Places with signatures for different blocks, as far as they are seen here. */
  readonly doubles: number;
}

const COLUMNS = ['signed for by', 'heights', 'switches', 'missed', 'evidence in blocks', 'doubles seen'] as const;
/** Of a piece of evidence: its kind, and the place. */
const SHOWN = 120;
const LEFT: ReadonlySet<number> = new Set([0]);

export function evidenceTable(results: readonly EvidenceResult[]): string {
  const rows = results.map(({ signer, heights, switches, missed, evidence, doubles }) => [
    ...[signer, ...[heights, switches, missed, evidence].map(String)],
    // Nobody reads along where a node signs by itself.
    signer === 'hekate' ? String(doubles) : '-',
  ]);
  const first = results.flatMap((one) =>
    one.first === '' ? [] : [`first with ${one.signer}: ${one.first.slice(0, SHOWN)} …`],
  );
  return [...aligned([COLUMNS, ...rows], LEFT), ...first].join('\n');
}

/** Why the run fails: hekate signed twice, or the check would not have noticed. */
export function evidenceProblems(results: readonly EvidenceResult[]): readonly string[] {
  return SIGNERS.flatMap((signer) => {
    const result = results.find((one) => one.signer === signer);
    if (result === undefined) return [`${signer}: the run did not come to its end`];
    if (result.switches === 0) return [`${signer}: no node was switched`];
    const { evidence, doubles } = result;
    if (signer !== 'hekate')
      return evidence > 0 ? [] : [`${signer}: no evidence came of them, so that the check proves nothing`];
    return [
      ...(evidence > 0 ? [`${signer}: ${evidence} pieces of evidence in blocks`] : []),
      ...(doubles > 0 ? [`${signer}: ${doubles} places with two signatures`] : []),
    ];
  });
}
