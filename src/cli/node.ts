import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.js';
import { print, printJson } from './io.js';
import { leadingHome } from './leader.js';
import { examples } from './options.js';

/** As sentry-link/node/node-service.ts has it. */
interface Used {
  readonly chainId: string;
  readonly node: string;
  readonly before: string | null;
}

export function addNodeCommand(program: Command, io: Io): void {
  const node = program
    .command('node')
    .description('Which of several nodes of a chain is served.')
    .addHelpText('after', examples('hekate node use 10.0.0.5 ./cluster'));
  node
    .command('use')
    .summary('serve another node of a chain')
    .description(
      'Asks the sentry-link that leads, whose home is DIR or lies in it; on other hosts it says where. From the next height on the votes of that node are signed, and ' +
        'those of the other nodes of its chain are refused. It holds until that node is lost or stands still, as of any that is served, and ' +
        'until this sentry-link loses its lease or is started anew: after that, the first node that asks is served. `hekate status` shows which one is.',
    )
    .argument('<node>', 'its address as it is configured, or its host')
    .argument('[dir]', 'a home, or a folder of homes', '.')
    .option('--chain <id>', 'only for this chain, where the node has several')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('hekate node use tcp://10.0.0.5:26659 ./cluster', 'hekate node use 10.0.0.5 --json'))
    .action(async (name: string, dir: string, { chain, json }: { chain?: string; json?: boolean }) => {
      const { askProcess } = await import('../shared/status/ask-process.js');
      const home = await leadingHome(resolve(dir));
      const params = { node: name, ...(chain !== undefined && { chain }) };
      const { used } = (await askProcess(home, { request: 'useNode', params })) as { readonly used: readonly Used[] };
      if (json === true) printJson(io, used);
      else print(io, used.map(describe).join('\n'));
    });
}

function describe({ chainId, node, before }: Used): string {
  if (before === node) return `${chainId}: ${node} is served, as it was before`;
  return `${chainId}: ${node} is served${before === null ? '' : ` in place of ${before}, from the next height on`}`;
}
