import { expect, it } from 'vitest';
import { networkOf, PendingHandshakes } from './pending-handshakes.js';

it.each<readonly [name: string, arrivals: string, left: string]>([
  ['room for all', 'a b c', 'a1 b1 c1'],
  ['all from one: its oldest go', 'a a a a a a', 'a3 a4 a5 a6'],
  ['a flood from one does not push out another, who was first', 'b a a a a a a a', 'b1 a5 a6 a7'],
  ['one that comes into a flood', 'a a a a a b', 'a3 a4 a5 b1'],
  ['the flood goes on, and others come', 'a a a a b a c a a', 'b1 c1 a6 a7'],
  ['two floods', 'a a a b b b b', 'a2 a3 b3 b4'],
  ['everybody once: the oldest', 'a b c d e', 'b1 c1 d1 e1'],
  ['as many of two: that of which one has waited longest', 'a b a b c', 'b1 a2 b2 c1'],
])('of at most four, %s', (_name, arrivals, left) => {
  const pending = new PendingHandshakes<string>(4);
  const counts = new Map<string, number>();
  const evicted = new Set<string | undefined>();
  const names: string[] = [];
  for (const address of arrivals.split(' ')) {
    const number = (counts.get(address) ?? 0) + 1;
    counts.set(address, number);
    names.push(`${address}${number}`);
    evicted.add(pending.add(`${address}:${number}`, address, `${address}${number}`));
  }
  expect(pending.all().join(' ')).toBe(left);
  // Who is gone was handed back, to be closed.
  expect(names.filter((name) => !evicted.has(name)).join(' ')).toBe(left);
});

it('one that is done makes room', () => {
  const pending = new PendingHandshakes<string>(2);
  pending.add('a:1', 'a', 'a1');
  pending.add('b:1', 'b', 'b1');
  pending.delete('a:1');
  expect(pending.get('a:1')).toBeUndefined();
  expect(pending.add('c:1', 'c', 'c1')).toBeUndefined();
  expect(pending.all()).toEqual(['b1', 'c1']);
});

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.7', '10.0.0.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::6', '2001:db8:1:3::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (address, network) => expect(networkOf(address)).toBe(network));
