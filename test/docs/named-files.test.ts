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

describe.each(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/audit.md', 'docs/invariants.md'])(
  '%s',
  (document) => {
    it('names files that are there', () => {
      const missing = named(document).filter(
        (path) => !files.some((file) => file === path || file.endsWith(`/${path}`)),
      );
      expect(missing).toEqual([]);
    });
  },
);
