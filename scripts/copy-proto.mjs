// Part of `npm run build`: the wire contracts are read at run time, so they go where the compiled code looks for them.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

const target = join(ROOT, 'dist', 'proto');
rmSync(target, { recursive: true, force: true });
cpSync(join(ROOT, 'proto'), target, { recursive: true });
