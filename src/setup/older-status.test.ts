import { expect, it } from 'vitest';
import { completeStatus } from './older-status.js';
import type { ProcessStatus } from '../shared/status/process-status.js';

const older = (json: object): ProcessStatus => JSON.parse(JSON.stringify(json)) as ProcessStatus;

it.each<[name: string, answer: object, filledIn: object]>([
  ['a cosigner', { kind: 'cosigner', version: '0.1.0' }, { protocol: 0, features: [], peers: [] }],
  [
    'a link, and what it tells of cosigners',
    { kind: 'sentry-link', version: '0.1.0', cosigners: [{ id: 1, version: null }], nodes: [{ address: 'a' }] },
    {
      protocol: 0,
      features: [],
      standbys: [],
      nodes: [{ address: 'a', served: false, because: null }],
      cosigners: [{ id: 1, version: null, protocol: null, features: [], passedOver: 0, falls: 0, claims: [] }],
    },
  ],
])('an older release answers: %s', (_name, answer, filledIn) => {
  expect(completeStatus(older(answer))).toEqual({ ...answer, ...filledIn });
});

it.each<[name: string, answer: object]>([
  ['a cosigner', { kind: 'cosigner', protocol: 2, features: ['a'], peers: [{ name: 'sentry-link-1' }] }],
  [
    'a link',
    {
      kind: 'sentry-link',
      protocol: 3,
      features: [],
      standbys: ['d'],
      nodes: [{ served: true, because: 'it asked first' }],
      cosigners: [{ protocol: 2, features: ['b'], passedOver: 9, falls: 1, claims: ['c'] }],
    },
  ],
])('what this release says stays: %s', (_name, answer) => {
  expect(completeStatus(older(answer))).toEqual(answer);
});
