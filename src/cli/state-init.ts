import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import type { StateInitResult } from '../setup/state-init.js';
import type { StartInputs } from '../setup/watermark-start.js';
import { must } from '../shared/invariant.js';
import type { Watermark } from '../shared/watermark/watermark.js';
import { print, printJson, warn, type Io } from './io.js';
import { withLockedState } from './locked-state.js';
import { addStartOptions, examples, readStart, type StartOptions } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface StateInitOptions extends StartOptions {
  readonly chainId: string;
  readonly replace?: boolean;
  readonly iAcceptThatThisCanDoubleSign?: boolean;
  readonly json?: boolean;
}

const RISK = `
What it risks: the watermark is the only thing that keeps this cosigner from giving its share for a second block at a height
where it already gave one. If it starts below anything that this key ever signed, and that happens on enough cosigners, the
validator can sign twice, is jailed for it, and loses stake. Take a height at or above the newest block of the chain, from
a block explorer or a node you trust. If you wait until the chain is past the height you give, nothing is lost but time.
`;

export function addStateInitCommand(state: Command, io: Io): void {
  const command = state
    .command('init')
    .summary('make a watermark where there is none, or raise one')
    .description(
      'Makes the watermark of one chain where it is missing. With --replace it raises one that is there, as after a refused ' +
        'height jump. Lowering one, or giving up one that cannot be read, needs --i-accept-that-this-can-double-sign as well; ' +
        'the old files are kept as .bak-1, .bak-2 and so on. The cosigner must not run.',
    )
    .argument('<home>', 'home of a cosigner')
    .requiredOption('--chain-id <id>', 'chain whose watermark it is');
  addStartOptions(command)
    .option('--replace', 'raise a watermark that is there')
    .option('--i-accept-that-this-can-double-sign', 'with --replace: also lower it, or give up one that cannot be read')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `${RISK}${examples('hekate state init ./cosigner-1 --chain-id mychain-1 --height 4069466')}`)
    .action(async (home: string, given: StateInitOptions) => {
      const inputs = await readStart(given, given.chainId);
      const { start, result } = await whileUninterrupted(() => init(resolve(home), given, inputs));
      const { describeFloor, describeWatermark } = await import('../setup/state-report.js');
      if (given.json === true)
        printJson(io, { chainId: given.chainId, ...result, watermark: describeWatermark(start) });
      else
        print(
          io,
          `${given.chainId}: watermark ${result.outcome}: it ${describeFloor(start)}`,
          ...result.kept.map((file) => `  the old one is kept as ${file}`),
        );
      if (result.outcome !== 'raised' && given.neverSigned === true)
        warn(
          io,
          'this watermark is empty: if the key ever signed on this chain, this cosigner can now help to sign twice',
        );
      else if (result.outcome !== 'raised')
        warn(io, 'if the key ever signed more than this watermark covers, this cosigner can now help to sign twice');
    });
}

interface Done {
  readonly start: Watermark;
  readonly result: StateInitResult;
}

async function init(home: string, given: StateInitOptions, inputs: StartInputs): Promise<Done> {
  const { initState } = await import('../setup/state-init.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { systemWallSecond } = await import('../shared/ports/clock.js');
  const { chooseStart } = await import('../setup/watermark-start.js');
  const { chainId } = given;
  if (chooseStart(inputs, undefined, systemWallSecond()) === undefined)
    throw new HekateError('USAGE', 'it is not said where the watermark starts', {
      fix: 'add --height with a height at or above everything this key ever signed, or --state, or --never-signed',
    });
  return withLockedState(home, chainId, async ({ path, binding }) => {
    const start = must(
      chooseStart(inputs, { publicKey: binding.groupPublicKey }, systemWallSecond()),
      'something was given',
    );
    const how = { replace: given.replace === true, acceptRisk: given.iAcceptThatThisCanDoubleSign === true };
    return { start, result: await initState(nodeDisk, { path, binding, start, ...how }) };
  });
}
