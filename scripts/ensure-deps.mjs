import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, step } from './steps.mjs';

/**
 * Runs `npm ci` when node_modules is missing or is not what package-lock.json says. npm keeps a lockfile of what it
 * installed (node_modules/.package-lock.json), so the two are compared package by package: a change of branch, an
 * `npm install` by hand and a fresh clone all come out right.
 */
export async function ensureDeps() {
  if (isInstalled()) return;
  await step('installing dependencies', () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']),
  );
}

function isInstalled() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const there = present[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
