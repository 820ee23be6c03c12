import { describe, expect, it } from 'vitest';
import { evidenceProblems, evidenceTable, type EvidenceResult } from './evidence-report.js';

const ours: EvidenceResult = {
  ...{ signer: 'hekate', heights: 305, switches: 9, missed: 12, evidence: 0, first: '', doubles: 0 },
};
const files: EvidenceResult = { ...ours, signer: 'two key files', evidence: 4, first: 'height 17: {}' };

describe('a run of both', () => {
  it.each<[name: string, results: readonly EvidenceResult[], problems: readonly string[]]>([
    ['as it should be', [ours, files], []],
    ['evidence against hekate', [{ ...ours, evidence: 1 }, files], ['hekate: 1 pieces of evidence in blocks']],
    ['two signatures seen', [{ ...ours, doubles: 2 }, files], ['hekate: 2 places with two signatures']],
    [
      'two key files and no evidence',
      [ours, { ...files, evidence: 0 }],
      ['two key files: no evidence came of them, so that the check proves nothing'],
    ],
    ['no switch', [{ ...ours, switches: 0 }, files], ['hekate: no node was switched']],
    ['cut off', [ours], ['two key files: the run did not come to its end']],
  ])('%s', (_name, results, problems) => expect(evidenceProblems(results)).toEqual(problems));
});

it('the table has a line for each signer, and the first piece of evidence', () => {
  expect(evidenceTable([ours, files]).split('\n')).toEqual([
    'signed for by  heights  switches  missed  evidence in blocks  doubles seen',
    'hekate             305         9      12                   0             0',
    'two key files      305         9      12                   4             -',
    'first with two key files: height 17: {} …',
  ]);
});
