import { Command, InvalidArgumentError } from 'commander';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { BREAKS, type Break } from './faults.js';
import { runSeed, type SeedResult } from './run.js';

interface Options {
  readonly seeds: number;
  readonly seed?: number;
  readonly first: number;
  readonly break?: Break;
  readonly json?: boolean;
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number, please');
  return Number(text);
};

const oneBreak = (text: string): Break => {
  const found = BREAKS.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`one of ${BREAKS.join(', ')}`);
  return found;
};

const program = new Command('sim')
  .description(
    'Runs production code of cosigners and sentry-links under a virtual clock, network and disk, with faults.',
  )
  .option('--seeds <n>', 'how many seeds to run', wholeNumber, 500)
  .option('--first <n>', 'the first of them', wholeNumber, 1)
  .option('--seed <n>', 'run this one only, and print its trace', wholeNumber)
  .option('--break <rule>', `switch a rule off, which must be caught: ${BREAKS.join(', ')}`, oneBreak)
  .option('--json', 'one JSON object as the last line')
  .addHelpText(
    'after',
    '\nExample:\n  npm run sim -- --seeds 2000\n  npm run sim -- --seed 17\n  npm run sim -- --break quorum',
  );

async function main(options: Options): Promise<number> {
  const group = await loadGroup();
  const seeds = options.seed === undefined ? options.seeds : 1;
  const first = options.seed ?? options.first;
  let signatures = 0;
  let failed: SeedResult | undefined;
  let ran = 0;
  for (let seed = first; seed < first + seeds && failed === undefined; seed++) {
    const result = await runSeed(seed, group, options.break);
    ran++;
    signatures += result.signatures;
    if (options.seed !== undefined) console.log(result.trace.join('\n'));
    if (result.failure !== undefined) failed = result;
    if (ran % 500 === 0 && options.json !== true) console.log(`${ran} seeds, ${signatures} signatures`);
  }
  return report(options, ran, signatures, failed);
}

function report(options: Options, ran: number, signatures: number, failed: SeedResult | undefined): number {
  if (failed !== undefined && options.break === undefined && options.seed === undefined)
    console.log(failed.trace.join('\n'));
  // A broken rule that is caught is the success of a --break run.
  const good = (failed === undefined) === (options.break === undefined);
  const found = failed?.failure === undefined ? undefined : { seed: failed.seed, ...failed.failure };
  if (options.json === true)
    console.log(JSON.stringify({ seeds: ran, signatures, break: options.break ?? null, failure: found ?? null }));
  else {
    if (found !== undefined) console.log(`seed ${found.seed}: ${found.message}`);
    if (found !== undefined && options.break === undefined) console.log(`replay: npm run sim -- --seed ${found.seed}`);
    if (options.break !== undefined)
      console.log(
        good
          ? `--break ${options.break}: caught after ${ran} seeds`
          : `--break ${options.break}: NOT caught in ${ran} seeds`,
      );
    else console.log(`${ran} seeds, ${signatures} signatures: ${good ? 'every rule held' : 'FAILED'}`);
  }
  return good ? 0 : 1;
}

program.parse();
process.exit(await main(program.opts<Options>()));
