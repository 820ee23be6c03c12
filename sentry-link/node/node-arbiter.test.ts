import { describe, expect, it } from 'vitest';
import { NodeArbiter, type NodeMode } from './node-arbiter.js';

type Event = readonly ['asks' | 'gone', string, boolean?];

describe('node arbiter', () => {
  it.each<readonly [string, NodeMode, readonly Event[]]>([
    [
      'the first to ask is served, the others wait',
      'active',
      [
        ['asks', 'a', true],
        ['asks', 'b', false],
        ['asks', 'a', true],
      ],
    ],
    [
      'the next takes over when it is gone',
      'active',
      [
        ['asks', 'a', true],
        ['gone', 'a'],
        ['asks', 'b', true],
        ['asks', 'a', false],
      ],
    ],
    [
      'losing another changes nothing',
      'active',
      [
        ['asks', 'a', true],
        ['gone', 'b'],
        ['asks', 'b', false],
      ],
    ],
    [
      'any: everybody is served',
      'any',
      [
        ['asks', 'a', true],
        ['asks', 'b', true],
      ],
    ],
  ])('%s', (_name, mode, events) => {
    const arbiter = new NodeArbiter(mode);
    for (const [what, node, expected] of events) {
      if (what === 'gone') arbiter.gone(node);
      else expect(arbiter.mayAsk(node)).toBe(expected);
    }
  });
});
