import { readFileSync } from 'node:fs';
import { VERSION } from '../shared/version.js';

/** What scripts/bake-commit.mjs leaves beside the compiled code; not there where it was built without git. */
const BUILT_FROM = new URL('../../commit.json', import.meta.url);

/** As `hekate --version` prints it: version, commit, Node. */
export function versionLine(builtFrom = readBuiltFrom(), node = process.version): string {
  const parsed = /^\{"commit":"([0-9a-f]{40,64})","changed":(true|false)\}$/.exec(builtFrom?.trim() ?? '');
  const [, commit, changed] = parsed ?? [];
  const from = commit === undefined ? 'unknown commit' : `commit ${commit}${changed === 'true' ? ' with changes' : ''}`;
  return `hekate ${VERSION}, ${from}, Node ${node}`;
}

function readBuiltFrom(): string | undefined {
  try {
    return readFileSync(BUILT_FROM, 'utf8');
  } catch {
    return undefined;
  }
}
