import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BREAK_NAMES } from '../sim/breaks.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const audit = readFileSync(join(ROOT, 'docs/audit.md'), 'utf8');

/** Files in the second column of the table under `## The core`, which is the first one of a row there. */
function coreFiles(): readonly string[] {
  const section = audit.split('\n## ').find((part) => part.startsWith('The core\n')) ?? '';
  return [...section.matchAll(/^\| \d+ +\| `([^`]+)`/gm)].map(([, file]) => file ?? '');
}

it('the core is read in one sitting', () => {
  const files = coreFiles();
  expect(files.length).toBeGreaterThanOrEqual(5);
  const lines = files.map((file) => readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length);
  const most = Number(/at most (\d+) lines together/.exec(audit)?.[1]);
  expect(most).toBeLessThanOrEqual(650);
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(most);
});

it.each(BREAK_NAMES)('tells what --break %s exchanges', (rule) => {
  expect(audit).toContain(`| \`${rule}\``);
});
