import { expect, test } from 'vitest';
import { swapInUse } from './swap.js';

const HEAD = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
const LINE = '/dev/sda2                               partition\t4194300\t\t0\t\t-2\n';
const ZRAM = '/dev/zram0                              partition\t4194300\t\t0\t\t100\n';
const GROUP = '0::/system.slice/hekate.service\n';
const LIMIT = '/sys/fs/cgroup/system.slice/hekate.service/memory.swap.max';

test.each<[string, Record<string, string>, string[]]>([
  ['no such file', {}, []],
  ['none', { '/proc/swaps': HEAD }, []],
  ['a partition', { '/proc/swaps': HEAD + LINE }, ['/dev/sda2']],
  ['compressed memory', { '/proc/swaps': HEAD + ZRAM }, []],
  ['both', { '/proc/swaps': HEAD + ZRAM + LINE }, ['/dev/sda2']],
  ['a service that may not', { '/proc/swaps': HEAD + LINE, '/proc/self/cgroup': GROUP, [LIMIT]: '0\n' }, []],
  ['a service that may', { '/proc/swaps': HEAD + LINE, '/proc/self/cgroup': GROUP, [LIMIT]: 'max\n' }, ['/dev/sda2']],
  ['a service without that limit', { '/proc/swaps': HEAD + LINE, '/proc/self/cgroup': GROUP }, ['/dev/sda2']],
])('swap in use: %s', (_name, files, expected) => {
  expect(swapInUse((path) => files[path])).toEqual(expected);
});
