/**
 * `node side-main.js TREE ARGS…`: the benchmark of another built tree of this project, in this process. Both sides of a
 * comparison measure as many votes after as many others as this tree does: a build that warms up less looks slower.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FULL, QUICK, type Effort } from './bench.js';

const [tree = '', ...args] = process.argv.slice(2);
const compiled = (name: string): string => join(tree, 'dist', 'test', 'bench', name);
const load = (name: string): Promise<unknown> => import(pathToFileURL(compiled(name)).href);

if (existsSync(compiled('bench.js'))) {
  const theirs = (await load('bench.js')) as Readonly<Partial<Record<'FULL' | 'QUICK', Effort>>>;
  Object.assign(theirs.FULL ?? {}, FULL);
  Object.assign(theirs.QUICK ?? {}, QUICK);
}
process.argv = [process.execPath, compiled('main.js'), ...args];
await load('main.js');
