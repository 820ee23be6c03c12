import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of the files below a folder. Links are not followed, which Node's own recursion does from Node 24 on: one may lead to `/`. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}
