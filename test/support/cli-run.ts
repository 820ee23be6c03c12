import { runCli } from '../../src/cli/run.js';
import { recordOutput } from './suite-record.js';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `hekate` within this process; what it prints is searched for secrets when all tests have run. */
export async function hekate(...args: readonly string[]): Promise<CliRun> {
  const said = { out: '', err: '' };
  const code = await runCli(args, { out: (part) => void (said.out += part), err: (part) => void (said.err += part) });
  recordOutput(said.out + said.err);
  return { code, ...said };
}

export async function hekateText(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly text: string }> {
  const { code, out, err } = await hekate(...args);
  return { code, text: out + err };
}
