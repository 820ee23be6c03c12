import { expect, test } from 'vitest';
import { isReadOnly } from './file-access.js';

const MOUNTS = [
  '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,discard',
  '40 22 0:35 / /run rw,nosuid - tmpfs tmpfs rw,size=819200k',
  '41 40 0:36 / /run/secrets ro,relatime - tmpfs tmpfs rw',
  '42 22 0:37 / /etc/hekate\\040home rw - overlay overlay ro,lowerdir=/a',
  '43 22 0:38 / /srv ro - ext4 /dev/b rw',
  '44 43 0:39 / /srv/state rw - ext4 /dev/c rw',
  '45 22 0:40 / /srv/state rw - tmpfs tmpfs ro',
].join('\n');

test.each([
  ['/home/x', false],
  ['/run/hekate', false],
  ['/run/secrets', true],
  ['/run/secrets/..data/share.key', true],
  ['/run/secretsX', false],
  ['/etc/hekate home/cosigner.toml', true],
  ['/srv/group.json', true],
  ['/srv/state/x', true],
])('%s on a read-only mount: %s', (path, expected) => expect(isReadOnly(path, MOUNTS)).toBe(expected));

test('no mounts are known', () => expect(isReadOnly('/x', '')).toBe(false));
