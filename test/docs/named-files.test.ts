import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const files = ['src', 'cosigner', 'sentry-link', 'test', 'scripts', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
);

/** Paths between backticks that name a file of the project. */
function named(document: string): readonly string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/`([\w./-]+\.(?:ts|mjs|md))`/g)].map(([, path]) => path ?? '');
}

describe.each([
  'README.md',
  'CONTRIBUTING.md',
  'docs/architecture.md',
  'docs/audit.md',
  'docs/identities.md',
  'docs/invariants.md',
  'docs/restarts.md',
  'docs/failover.md',
  'docs/runbooks.md',
  'docs/migrate-from-a-key-file.md',
  'docs/migrate-from-tmkms.md',
  'docs/migrate-from-horcrux.md',
  'docs/migrate-from-kms-and-nebula.md',
])('%s', (document) => {
  it('names files that are there', () => {
    const missing = named(document).filter((path) => !files.some((file) => file === path || file.endsWith(`/${path}`)));
    expect(missing).toEqual([]);
  });
});

const textOf = (some: readonly string[]): string =>
  some.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
const tests = textOf(files.filter((file) => file.endsWith('.test.ts')));
const code = textOf(files.filter((file) => /^(src|cosigner|sentry-link)\/.*(?<!\.test)\.ts$/.test(file)));
const rows = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, number = '', , , assertion = '', quoting = '']) => ({ number, assertion, quoting }));

describe.each(rows)('docs/invariants.md, row $number', ({ assertion, quoting }) => {
  it('quotes assertions that the code makes', () => {
    const quoted = [...assertion.matchAll(/`([^`]* [^`]*)`/g)].map(([, words]) => words ?? '');
    if (!assertion.startsWith('none')) expect(quoted).not.toEqual([]);
    expect(quoted.filter((words) => !code.includes(`'${words}'`))).toEqual([]);
  });
  it('quotes words of the names of tests', () => {
    const quoted = [...quoting.matchAll(/"([^"]+)"/g)].map(([, words]) => words ?? '');
    expect(quoted.filter((words) => !tests.includes(words))).toEqual([]);
  });
});

/** The table of what one cosigner that lies can cost. */
const lies = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| L\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, number = '', , , naming = '', quoting = '']) => ({ number, naming, quoting }));
const quotedIn = (text: string): readonly string[] => [...text.matchAll(/"([^"]+)"/g)].map(([, words]) => words ?? '');

it('the lies of a cosigner have a row each', () => {
  expect(lies.length).toBeGreaterThan(10);
});
describe.each(lies)('docs/invariants.md, row $number', ({ naming, quoting }) => {
  it('quotes events of the log', () => {
    expect(quotedIn(naming).filter((words) => !code.includes(`'${words}'`))).toEqual([]);
  });
  it('quotes words of the names of tests', () => {
    expect(quotedIn(quoting)).not.toEqual([]);
    expect(quotedIn(quoting).filter((words) => !tests.includes(words))).toEqual([]);
  });
});

/** The rules of the shared high watermark. */
const rules = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| W\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, number = '', , , quoting = '']) => ({ number, quoting }));

it('the rules of the shared high watermark have a row each', () => {
  expect(rules).toHaveLength(9);
});
it.each(rules)('docs/invariants.md, row $number: quotes words of the names of tests', ({ quoting }) => {
  expect(quotedIn(quoting)).not.toEqual([]);
  expect(quotedIn(quoting).filter((words) => !tests.includes(words))).toEqual([]);
});
