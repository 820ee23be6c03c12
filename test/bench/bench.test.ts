import { describe, expect, it } from 'vitest';
import { wants, widened } from './bench.js';

const benches = [
  { names: ['vote/2of3/loopback', 'vote/2of3/loopback/paced'] },
  { names: ['throughput/one-chain', 'cpu', 'rss', 'rss/growth'] },
  { names: ['part/disk', 'part/curve'] },
];

describe('wants', () => {
  it.each([
    [[''], 'rss', true],
    [['part/'], 'part/disk', true],
    [['part/', 'rss'], 'rss/growth', true],
    [['rss/growth'], 'rss', false],
    [[], 'rss', false],
  ])('%j %s: %s', (only, name, expected) => expect(wants(only, name)).toBe(expected));
});

describe('widened', () => {
  it.each([
    ['all', [''], ['']],
    ['a first row', ['part/disk'], ['part/disk']],
    ['a beginning of the first', ['vote/'], ['vote/']],
    ['another row of a benchmark', ['rss/growth'], ['rss/growth', 'throughput/one-chain']],
    ['one of each', ['part/', 'vote/2of3/loopback/paced'], ['part/', 'vote/2of3/loopback/paced', 'vote/2of3/loopback']],
    ['what nobody knows', ['nothing'], ['nothing']],
  ])('%s', (_, only, expected) => expect(widened(only, benches)).toEqual(expected));
});
