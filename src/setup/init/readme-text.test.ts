import { expect, test } from 'vitest';
import { clusterReadme } from './readme-text.js';

test('the README of a cluster has its steps in the order in which they are done', () => {
  const text = clusterReadme({
    threshold: 2,
    cosigners: [1, 2, 3].map((id) => ({ host: `10.0.1.${id}`, port: 7001 })),
    links: 2,
  });
  const steps = [
    'copy each folder to its host',
    'delete it here',
    'move that file from its',
    'Start the cosigners',
    'Start the sentry-links',
    'start the node',
    'within 3 s of its start',
    'shows what is connected',
    'never have to come together again',
    'hekate chain add',
  ];
  const places = steps.map((step) => text.indexOf(step));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
});
