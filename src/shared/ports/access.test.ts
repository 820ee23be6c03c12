import { expect, test } from 'vitest';
import { whyTooOpen, type Guarded } from './access.js';

const US = 1000;
const OUR_GROUP = 1000;
const FS_GROUP = 2000;
const us = { uid: US, groups: [OUR_GROUP, FS_GROUP] };
const root = { uid: 0, groups: [0] };

/** Mode, owner, group. */
type Row = readonly [string, number, number, number, Guarded, typeof us, string | undefined];

test.each<Row>([
  ['our own alone', 0o600, US, OUR_GROUP, 'secret', us, undefined],
  ['read-only, as somebody meant it', 0o400, US, OUR_GROUP, 'secret', us, undefined],
  ["root's, for our group", 0o640, 0, OUR_GROUP, 'secret', us, undefined],
  ["root's, for root's group: the mask of an ACL", 0o440, 0, 0, 'secret', us, undefined],
  ['of a volume with an fsGroup', 0o660, US, FS_GROUP, 'secret', us, undefined],
  [
    'for a group that is not ours',
    0o640,
    US,
    3000,
    'secret',
    us,
    'group 3000, which is not ours, may use it|chmod 0600',
  ],
  ['for everybody to read', 0o644, US, OUR_GROUP, 'secret', us, 'mode 0644: everybody may use it|chmod 0600'],
  ['for everybody to enter', 0o711, US, OUR_GROUP, 'secret', us, 'mode 0711: everybody may use it|chmod 0700'],
  ["somebody else's", 0o600, 1001, OUR_GROUP, 'secret', us, 'belongs to user 1001, who may use it|chown 1000'],
  ['read by root', 0o600, US, OUR_GROUP, 'secret', root, undefined],
  ['of a group, read by root', 0o640, US, OUR_GROUP, 'secret', root, undefined],
  [
    "root's own for another group",
    0o640,
    0,
    3000,
    'secret',
    root,
    'group 3000, which is not ours, may use it|chmod 0600',
  ],
  ['for everybody, read by root', 0o666, US, OUR_GROUP, 'secret', root, 'mode 0666: everybody may use it|chmod 0600'],
  ['a configuration for all to read', 0o644, US, OUR_GROUP, 'unchanged', us, undefined],
  ['a configuration for our group to change', 0o664, US, OUR_GROUP, 'unchanged', us, undefined],
  ['a configuration for all to change', 0o666, US, OUR_GROUP, 'unchanged', us, 'everybody may change it|chmod 0644'],
  [
    'a configuration of another group',
    0o664,
    US,
    3000,
    'unchanged',
    us,
    'group 3000, which is not ours, may change it|chmod 0644',
  ],
  ['a folder for all', 0o777, US, OUR_GROUP, 'unchanged', us, 'mode 0777: everybody may change it|chmod 0755'],
  [
    "somebody else's configuration",
    0o644,
    1001,
    1001,
    'unchanged',
    us,
    'belongs to user 1001, who may change it|chown 1000',
  ],
])('%s', (_name, mode, uid, gid, guarded, reader, expected) => {
  const found = whyTooOpen({ mode, uid, gid }, reader, guarded);
  const [problem = '', command = ''] = expected?.split('|') ?? [];
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toEqual({ problem: expect.stringContaining(problem) as string, command });
});
