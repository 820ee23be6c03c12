import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { bech32PrefixProblem, USUAL_PREFIX } from '../shared/config/bech32-prefix.js';
import { HekateError } from '../shared/errors.js';
import type { GroupInfo } from '../shared/home/group-file.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

export function addKeysShowCommand(keys: Command, io: Io): void {
  keys
    .command('show')
    .summary('print public keys in the forms that chains use')
    .description(
      'Prints the validator key of each chain as CometBFT and Cosmos SDK JSON, hex, address, valcons and valconspub. ' +
        "This, and not what the node's own show-validator prints, is the key that signs.",
    )
    .argument('<path>', 'a home, a folder of homes, or a group.json')
    .option('--prefix <prefix>', 'bech32 prefix of the chain, as in "kira1…"', parsePrefix, USUAL_PREFIX)
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate keys show ./cluster/cosigner-1 --prefix kira'))
    .action(async (path: string, { prefix, json }: { prefix: string; json?: boolean }) => {
      const { publicKeyForms } = await import('../shared/keys/formats.js');
      const groups = (await readGroups(resolve(path))).map((group) => ({
        ...group,
        forms: publicKeyForms(group.groupPublicKey, prefix),
      }));
      if (json === true) {
        printJson(
          io,
          groups.map(({ chainId, threshold, count, forms }) => ({ chainId, threshold, count, ...forms })),
        );
        return;
      }
      for (const { chainId, threshold, count, forms } of groups)
        print(
          io,
          `${chainId} (${threshold} of ${count})`,
          `  CometBFT    ${JSON.stringify(forms.cometbft)}`,
          `  SDK         ${JSON.stringify(forms.sdk)}`,
          `  hex         ${forms.hex}`,
          `  address     ${forms.address}`,
          `  valcons     ${forms.valcons}`,
          `  valconspub  ${forms.valconspub}`,
        );
    });
}

function parsePrefix(text: string): string {
  const problem = bech32PrefixProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return text;
}

async function readGroups(path: string): Promise<readonly GroupInfo[]> {
  const { loadGroupFile, sameGroup } = await import('../shared/home/group-file.js');
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (isFile) return [await loadGroupFile(path)];
  const { findChainFiles } = await import('../setup/find-homes.js');
  const { equalBytes } = await import('../shared/bytes.js');
  const groups: { readonly info: GroupInfo; readonly file: string }[] = [];
  for (const { group: file, chainId } of await findChainFiles(path)) {
    const info = await loadGroupFile(file, chainId);
    const first = groups.find((known) => known.info.chainId === chainId);
    if (first !== undefined && !equalBytes(first.info.groupPublicKey, info.groupPublicKey))
      throw new HekateError('KEYS_DISAGREE', `${first.file} and ${file} have different keys for chain ${chainId}`, {
        fix: 'find out which one the validator has; give one home, or the folder of one cluster',
      });
    if (!groups.some((known) => sameGroup(known.info, info))) groups.push({ info, file });
  }
  return groups.map(({ info }) => info);
}
