import type { Command } from 'commander';
import type { DevOptions } from '../dev/dev-options.js';
import { addDevStatusCommand } from './dev-status.js';
import type { Io } from './io.js';
import { checkNoStandardInput, examples, parseWholeNumber } from './options.js';

export function addDevCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const dev = program
    .command('dev')
    .helpCommand(false)
    .summary('run a whole cluster on this machine')
    .description(
      'Runs three cosigners, two sentry-links and a model CometBFT node that makes a block per second, or dials a real ' +
        'node with --node. Goes on from the state of the last run. Ends with Ctrl-C and a summary; nothing is left running.',
    )
    .option('--node <addr>', 'priv_validator_laddr of a real node instead of the model')
    .option('--chain-id <id>', 'chain id of that node')
    .option('--key <file>', 'deal this priv_validator_key.json; without it a new key is made')
    .option('--state <file>', 'its priv_validator_state.json')
    .option('--never-signed', 'that key certainly never signed on this chain')
    .option('--blocks <n>', 'end after this many blocks', parseWholeNumber)
    .option('--dir <dir>', 'folder for the homes, a folder for each chain (default: .dev)')
    .option('--fresh', 'remove what the last run made, with the key that it made, and start over')
    .option('--json', 'print a summary as JSON, alone on standard output')
    .addHelpText(
      'after',
      `
Where it runs already a second one says so and ends. Its processes are in \`hekate dev status\`; one that dies is started again.

--fresh removes only what \`hekate dev\` made. It refuses, and touches nothing, where a key was given with --key, where a
process still runs, and where anything else lies in the folder.
${examples('hekate dev --blocks 20', 'hekate dev --node tcp://127.0.0.1:26658 --chain-id test-1')}`,
    )
    .action(async (given: DevOptions) => {
      checkNoStandardInput(given.key, given.state);
      const { startDev } = await import('../dev/main.js');
      const exitCode = await startDev(given);
      if (exitCode !== 0) fail(exitCode);
    });
  addDevStatusCommand(dev, io, fail);
}
