import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import type { ChainFiles } from '../setup/find-homes.js';
import type { ChainVerdict } from '../setup/keys/verify-folders.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

interface VerifyOptions {
  readonly key?: string;
  readonly json?: boolean;
}

export function addKeysVerifyCommand(keys: Command, io: Io): void {
  keys
    .command('verify')
    .summary('check shares against each other and the public key')
    .description(
      'Checks that all group.json agree, that each share is one of that dealing, in the right home and none there twice, that ' +
        'homes show the certificates that the others have pinned, and that the public ' +
        'points of enough shares make the public key. The key is never put together. Changes nothing.',
    )
    .argument('<folder...>', 'homes, folders of homes, or what `keys split` made')
    .option(
      '--key <file>',
      'compare the public key with that in a priv_validator_key.json or public key JSON (- for standard input)',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate keys verify ./cluster', 'hekate keys verify ./cluster/cosigner-1'))
    .action(async (folders: readonly string[], { key, json }: VerifyOptions) => {
      const verdicts = await verify(folders, key);
      if (json === true) printJson(io, verdicts);
      else for (const verdict of verdicts) print(io, ...describe(verdict));
      const wrong = verdicts.filter(({ ok }) => !ok).map(({ chainId }) => chainId);
      if (wrong.length > 0) throw new HekateError('KEYS_DISAGREE', `something is wrong with ${wrong.join(', ')}`);
    });
}

async function verify(folders: readonly string[], key: string | undefined): Promise<readonly ChainVerdict[]> {
  const { findChainFiles } = await import('../setup/find-homes.js');
  const { loadGroup } = await import('../shared/frost/load-group.js');
  const { verifyChain } = await import('../setup/keys/verify-folders.js');
  const expected = key === undefined ? undefined : await readPublicKey(key);
  const byChain = new Map<string, ChainFiles[]>();
  for (const folder of folders)
    for (const files of await findChainFiles(resolve(folder)))
      byChain.set(files.chainId, [...(byChain.get(files.chainId) ?? []), files]);
  const group = await loadGroup();
  const verdicts: ChainVerdict[] = [];
  for (const [chainId, files] of byChain) verdicts.push(await verifyChain(chainId, files, group, expected));
  return verdicts;
}

async function readPublicKey(file: string): Promise<Uint8Array> {
  const { readInput } = await import('./read-input.js');
  const { parsePublicKey } = await import('../setup/keys/public-key-file.js');
  return parsePublicKey(await readInput(file, 'the key file'));
}

function describe({ chainId, publicKey, threshold, count, shares, makesKey, findings }: ChainVerdict): string[] {
  const made =
    makesKey === undefined
      ? `${shares.length} good shares seen, ${threshold ?? 'some'} are needed to check that they make the key`
      : makesKey
        ? `any ${threshold} of these make the public key`
        : 'these shares do not make the public key';
  return [
    `${chainId}: ${threshold ?? '?'} of ${count ?? '?'}, public key ${publicKey ?? 'unknown'}`,
    ...findings.map(({ folder, ok, text }) => `  ${ok ? 'ok ' : 'BAD'} ${folder}: ${text}`),
    `  ${made}`,
  ];
}
