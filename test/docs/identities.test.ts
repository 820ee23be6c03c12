import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hekateText as hekate } from '../support/cli-run.js';

// docs/identities.md, command by command, with all hosts in one folder: what `scp` carries to a host is a copy in it.

const ROOT = new URL('../..', import.meta.url).pathname;
const text = readFileSync(join(ROOT, 'docs/identities.md'), 'utf8');
const commands = [...text.matchAll(/^```\n(.*?)^```$/gms)]
  .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
  .filter((line) => line !== '');
const folder = mkdtempSync(join(tmpdir(), 'hekate-identities-'));
const before = process.cwd();

beforeAll(async () => {
  const cosigners = [1, 2, 3].map((id) => `127.0.0.1:${7000 + id}`);
  const shape = ['--threshold', '2', '--cosigner', ...cosigners, '--links', '2'];
  await hekate('init', folder, '--chain-id', 'mychain-1', '--node', 'tcp://10.0.0.5:26659', ...shape);
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

it('every command does what the page says of it', async () => {
  expect(commands.length).toBeGreaterThan(5);
  let pin = '';
  for (const command of commands) {
    const [name = '', ...args] = command.replaceAll('sha256:PIN', pin).trim().split(/\s+/);
    if (name === 'scp') {
      const [to = '', ...from] = args.filter((arg) => !arg.startsWith('-')).reverse();
      for (const one of from) cpSync(one, to.replace(/^.*:/, ''), { recursive: true });
      continue;
    }
    expect(name).toBe('hekate');
    const { code, text: said } = await hekate(...args);
    expect(code, `${command}\n${said}`).toBe(0);
    pin = /sha256:[0-9a-f]{64}/.exec(said)?.[0] ?? pin;
  }
  expect((await hekate('keys', 'verify', '.')).text).not.toContain('BAD');
}, 60_000);
