import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Watermark } from '../shared/watermark/watermark.js';
import { print, printJson, warn, type Io } from './io.js';
import { withLockedState, type LockedState } from './locked-state.js';
import { examples } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface ImportOptions {
  readonly chainId: string;
  readonly json?: boolean;
}

interface Imported {
  readonly outcome: 'created' | 'raised' | 'unchanged';
  readonly start: Watermark;
}

export function addStateImportCommand(state: Command, io: Io): void {
  state
    .command('import')
    .summary('raise a watermark to an exported one')
    .description(
      'Raises the watermark of one chain to what `hekate state export` wrote, or makes it where there is none. Never lowers ' +
        'one. Nothing at the imported place or below is signed. The cosigner must not run.',
    )
    .argument('<home>', 'home of a cosigner')
    .argument('<file>', 'what `hekate state export` wrote (- for standard input)')
    .requiredOption('--chain-id <id>', 'chain whose watermark it is')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('hekate state import ./cosigner-1 watermark.json --chain-id mychain-1'))
    .action(async (home: string, file: string, given: ImportOptions) => {
      const { readInput } = await import('./read-input.js');
      const text = await readInput(file, 'the watermark');
      const use = (locked: LockedState): Promise<Imported> => importInto(locked, text);
      const { outcome, start } = await whileUninterrupted(() => withLockedState(resolve(home), given.chainId, use));
      const { describeFloor, describeWatermark } = await import('../setup/state-report.js');
      if (given.json === true) printJson(io, { chainId: given.chainId, outcome, watermark: describeWatermark(start) });
      else print(io, `${given.chainId}: watermark ${outcome}: it ${describeFloor(start)}`);
      if (outcome === 'created')
        warn(io, 'if the key signed since the watermark was exported, this cosigner can now help to sign twice');
    });
}

async function importInto({ path, binding }: LockedState, text: Uint8Array): Promise<Imported> {
  const { importedPlace } = await import('../setup/state-json.js');
  const { initState } = await import('../setup/state-init.js');
  const { HekateError } = await import('../shared/errors.js');
  const { systemWallSecond } = await import('../shared/ports/clock.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { fullPace } = await import('../shared/watermark/height-pace.js');
  const { readIfPresent, readState } = await import('../shared/watermark/state-mark.js');
  const { compareHrs } = await import('../shared/watermark/watermark.js');
  const start = {
    ...importedPlace(text, binding),
    ...{ signBytes: undefined, fresh: false, pace: fullPace(systemWallSecond()) },
  };
  if (start.height === 0n)
    throw new HekateError('WATERMARK_START_UNSURE', 'the exported watermark stands at height 0: it refuses nothing', {
      fix: 'use `hekate state init --never-signed` if this key certainly never signed on this chain',
    });
  if ((await readIfPresent(nodeDisk, path)) !== undefined) {
    const { watermark } = await readState(nodeDisk, path, binding);
    if (compareHrs(start, watermark) === 0) return { outcome: 'unchanged', start: watermark };
  }
  const result = await initState(nodeDisk, { path, binding, start, replace: true, acceptRisk: false });
  return { outcome: result.outcome === 'created' ? 'created' : 'raised', start };
}
