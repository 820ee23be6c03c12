import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { HekateError } from '../shared/errors.js';
import { exitCodeOf } from './exit-codes.js';

const CHECK = fileURLToPath(new URL('../../bin/node-version.cjs', import.meta.url));
const VERSION = process.version.replace('v', '');
const [MAJOR = '', MINOR = '', PATCH = ''] = VERSION.split('.');

describe('the Node that runs hekate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hekate-node-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['is the one that is wanted', VERSION, false],
    ['is of a newer patch', `${MAJOR}.${MINOR}.0`, false],
    ['is of a newer minor', `${MAJOR}.0.99`, false],
    ['is of a newer major', `${Number(MAJOR) - 1}.99.99`, false],
    ['is of an older patch', `${MAJOR}.${MINOR}.${Number(PATCH) + 1}`, true],
    ['is of an older minor', `${MAJOR}.${Number(MINOR) + 1}.0`, true],
    ['is of an older major, though its number is later in the alphabet', `${Number(MAJOR) + 100}.0.0`, true],
  ])('%s', (_name, wanted, tooOld) => {
    mkdirSync(join(folder, 'bin'), { recursive: true });
    cpSync(CHECK, join(folder, 'bin', 'node-version.cjs'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ engines: { node: `>=${wanted}` } }));
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'node-version.cjs')], {
      encoding: 'utf8',
    });
    const problem = `hekate needs Node.js ${wanted} or newer, and this is ${process.version} (${process.execPath})`;
    expect({ status, stderr }).toEqual(
      tooOld
        ? { status: exitCodeOf('NODE_TOO_OLD'), stderr: `${new HekateError('NODE_TOO_OLD', problem).toLine()}\n` }
        : { status: 0, stderr: '' },
    );
  });
});
