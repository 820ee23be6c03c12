import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder, from the source as well as from dist/. */
export const PROJECT_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

export const HEKATE_MAIN = join(PROJECT_ROOT, 'dist', 'src', 'cli', 'main.js');

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json of the project not found');
  return findRoot(parent);
}

/** A folder for one test with a path short enough for unix sockets. HEKATE_KEEP_TEST_FILES=1 leaves it there. */
export class TestFolder {
  readonly path: string;

  constructor(name: string) {
    this.path = mkdtempSync(join(tmpdir(), `hk-${name}-`));
  }

  file(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  remove(): void {
    if (process.env['HEKATE_KEEP_TEST_FILES'] === undefined) rmSync(this.path, { recursive: true, force: true });
  }
}
