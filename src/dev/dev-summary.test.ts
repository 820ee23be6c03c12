import { expect, it } from 'vitest';
import { DevTally } from './dev-summary.js';

it('a height counts as one block, however many rounds it took', () => {
  const tally = new DevTally();
  for (const height of [7n, 8n, 8n, 9n]) tally.block(height);
  expect(tally.summary().blocks).toBe(3);
});
