#!/usr/bin/env node
import { createRequire } from 'node:module';

// What an old Node can read, from here on downwards, until its version is checked; bin/hekate.cjs does the same.
createRequire(import.meta.url)('../../../bin/node-version.cjs');
void Promise.all([
  import('../shared/process/hardening.js'),
  import('./io.js'),
  import('./protect-secrets.js'),
  import('./run.js'),
]).then(async ([{ ignoreDebuggerSignal }, { processIo }, { protectSecrets }, { runCli }]) => {
  ignoreDebuggerSignal();
  process.exitCode = await runCli(process.argv.slice(2), processIo, protectSecrets);
});
