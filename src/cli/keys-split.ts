import { resolve } from 'node:path';
import type { Command } from 'commander';
import { print, printJson, type Io } from './io.js';
import { examples, parseWholeNumber, readKey } from './options.js';
import { fileNameOr } from './read-input.js';
import { whileUninterrupted } from './uninterrupted.js';

interface SplitOptions {
  readonly key: string;
  readonly threshold: number;
  readonly count: number;
  readonly chainId: string;
  readonly out: string;
  readonly json?: boolean;
}

export function addKeysSplitCommand(keys: Command, io: Io): void {
  keys
    .command('split')
    .summary('deal a priv_validator_key.json into shares')
    .description(
      'Deals a key into OUT/cosigner-1 … cosigner-N, each with chains/CHAIN/group.json and share.key, and nothing else: no ' +
        'configuration and no watermark. `hekate init` is what most people want. Shares of two dealings do not work together.',
    )
    .requiredOption('--key <file>', 'priv_validator_key.json; - for standard input')
    .requiredOption('--threshold <t>', 'shares that a signature needs; more than half', parseWholeNumber)
    .requiredOption('--count <n>', 'shares to deal', parseWholeNumber)
    .requiredOption('--chain-id <id>', 'chain that the key is for')
    .requiredOption('--out <dir>', 'folder to make')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'hekate keys split --key priv_validator_key.json --threshold 2 --count 3 --chain-id mychain-1 --out shares',
      ),
    )
    .action(async (given: SplitOptions) => {
      const out = resolve(given.out);
      const { splitKey } = await import('../setup/keys/split.js');
      const { wipeKey } = await import('../setup/keys/priv-validator-key.js');
      const { systemRandom } = await import('../shared/ports/random.js');
      const key = await readKey(given.key, io);
      const { chainId, threshold, count } = given;
      const info = await whileUninterrupted(() =>
        splitKey({ out, chainId, key, threshold, count }, systemRandom).finally(() => wipeKey(key)),
      );
      if (given.json === true) {
        const { toHex } = await import('../shared/bytes.js');
        const { cosignerNames } = await import('../shared/home/paths.js');
        printJson(io, { out, folders: cosignerNames(info.count), publicKey: toHex(info.groupPublicKey) });
      } else
        print(
          io,
          `Dealt ${info.count} shares for chain ${info.chainId} into ${out}; any ${info.threshold} of them are the key.`,
          `Take each to its own host, delete it here, and move ${fileNameOr(given.key, 'the key file')} offline.`,
          'A cosigner also needs a watermark: `hekate state init --help`.',
        );
    });
}
