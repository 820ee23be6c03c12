#!/usr/bin/env node
import { ignoreDebuggerSignal } from '../shared/process/hardening.js';
import { processIo } from './io.js';
import { protectSecrets } from './protect-secrets.js';
import { runCli } from './run.js';

ignoreDebuggerSignal();
process.exitCode = await runCli(process.argv.slice(2), processIo, protectSecrets);
