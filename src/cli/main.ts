#!/usr/bin/env node
import { createRequire } from 'node:module';

// What an old Node can read, from here on downwards, until its version is checked; bin/hekate.cjs does the same.
createRequire(import.meta.url)('../../../bin/node-version.cjs');
void Promise.all([import('./io.js'), import('./run.js')]).then(async ([{ processIo }, { runCli }]) => {
  process.exitCode = await runCli(process.argv.slice(2), processIo);
});
