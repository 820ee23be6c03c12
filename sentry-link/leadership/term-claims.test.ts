import { expect, it } from 'vitest';
import { describeClaim, farTerms } from './term-claims.js';

it.each<[name: string, terms: readonly number[], claims: readonly string[]]>([
  ['all alike', [4, 4, 4], []],
  ['one started anew', [0, 4, 4], []],
  ['one is as far up as a link follows', [4, 1_004, 4], []],
  ['one is further up', [4, 1_005, 4], ['2 claims term 1005, 1001 above the others']],
  ['the others started anew', [0, 0, 5_000], ['3 claims term 5000, 5000 above the others']],
  [
    'two of five',
    [9_000, 4, 4, 9_001, 0],
    ['1 claims term 9000, 8996 above the others', '4 claims term 9001, 8997 above the others'],
  ],
  ['most: then that is the term', [9_000, 9_000, 4], []],
])('claims of a term: %s', (_name, terms, claims) => {
  const found = farTerms(new Map(terms.map((term, index) => [index + 1, term])));
  expect(found.map((claim) => `${claim.cosigner} ${describeClaim(claim)}`)).toEqual(claims);
});
