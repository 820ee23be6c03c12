import '../bin/node-version.cjs';
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

/** The project's folder; every script works from any current folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Progress goes to stderr: stdout belongs to the program that is started in the end. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** A failed step; `output` is what the tool printed. */
export class StepFailed extends Error {
  constructor(message, output = '') {
    super(message);
    this.output = output;
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a tool in the project's folder, without NODE_ENV: what is installed and built does not depend on it. A signal that would
 * end us ends the tool first. With `show` it prints as it goes, otherwise its output is kept for the error.
 * Resolves with what was kept.
 */
export function run(command, args, { show = false, env = process.env, cwd = ROOT } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...env, NODE_ENV: undefined },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const pass = (signal) => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    let output = '';
    child.stdout?.on('data', (bytes) => (output += bytes));
    child.stderr?.on('data', (bytes) => (output += bytes));
    child.on('error', (error) => {
      fail(new StepFailed(error.code === 'ENOENT' ? `${command} is not installed` : error.message));
    });
    child.on('close', (code, signal) => {
      for (const name of SIGNALS) process.off(name, pass);
      if (code === 0) done(output);
      else fail(new StepFailed(`${command} ${args.join(' ')} ended with ${signal ?? code}`, output));
    });
  });
}

/** One line before, one after, with the seconds it took. */
export async function step(title, task) {
  say(`${title} …`);
  const from = performance.now();
  const result = await task();
  say(`${title}: done in ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}

/** The last line of every script: prints why a step failed and sets exit code 1. */
export async function main(task) {
  try {
    await task();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    if (error.output) say(error.output.trimEnd());
    say(`failed: ${error.message}`);
    process.exitCode = 1;
  }
}
