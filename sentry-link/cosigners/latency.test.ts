import { describe, expect, it } from 'vitest';
import { LatencyEstimate } from './latency.js';

const times = (count: number, sampleMs: number): number[] => Array<number>(count).fill(sampleMs);

describe('latency estimate', () => {
  it.each<[name: string, samples: readonly number[], meanMs: number | undefined, patience: [number, number]]>([
    ['nothing known', [], undefined, [150, 150]],
    ['one answer', [10], 10, [40, 40]],
    ['steady and near: not below the floor', times(100, 1), 1, [15, 15]],
    ['steady, 20 ms', times(100, 20), 20, [40, 41]],
    ['steady and far', times(100, 300), 300, [600, 601]],
    ['very far: not above the ceiling', times(100, 3_000), 3_000, [1_000, 1_000]],
    ['one outlier is forgotten', [...times(100, 10), 500, ...times(100, 10)], 10, [20, 21]],
    [
      'it wavers between 10 and 50: more patience than for the mean alone',
      times(100, 0).map((_, i) => (i % 2 ? 10 : 50)),
      30,
      [100, 160],
    ],
  ])('%s', (_name, samples, meanMs, [least, most]) => {
    const estimate = new LatencyEstimate();
    for (const sample of samples) estimate.note(sample);
    if (meanMs === undefined) expect(estimate.meanMs).toBeUndefined();
    else expect(Math.abs(estimate.meanMs! - meanMs)).toBeLessThan(3);
    expect(estimate.patienceMs()).toBeGreaterThanOrEqual(least);
    expect(estimate.patienceMs()).toBeLessThanOrEqual(most);
  });

  it('follows RFC 6298: the deviation is updated with the mean before this sample', () => {
    const estimate = new LatencyEstimate();
    estimate.note(100);
    estimate.note(180);
    // SRTT = 100, RTTVAR = 50; then RTTVAR = 3/4·50 + 1/4·80 = 57.5 and SRTT = 7/8·100 + 1/8·180 = 110.
    expect(estimate.meanMs).toBe(110);
    expect(estimate.patienceMs()).toBe(2 * 110 + 4 * 57.5);
  });
});
