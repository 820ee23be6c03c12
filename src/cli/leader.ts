import { resolve } from 'node:path';
import type { Command } from 'commander';
import { must } from '../shared/invariant.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

/** What is under way is answered for 1.5 s at most, and the other one has 2 s to take the lease. */
const TRANSFER_MS = 5_000;

interface Shown {
  readonly home: string;
  readonly name: string;
  readonly leader: string | null;
  readonly term: number | null;
  readonly standbys: readonly string[];
}

export function addLeaderCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const leader = program
    .command('leader')
    .description('Which sentry-link dials the nodes, and handing that over.')
    .addHelpText('after', examples('hekate leader show ./cluster', 'hekate leader transfer ./cluster/sentry-link-1'));
  leader
    .command('show')
    .summary('who leads, as the processes of this host see it')
    .description(
      'Asks each sentry-link whose home is DIR or lies in it. The exit code is 1 when none of them knows a leader.',
    )
    .argument('[dir]', 'a home, or a folder of homes', '.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate leader show ./cluster'))
    .action(async (dir: string, { json }: { json?: boolean }) => {
      const shown = await show(resolve(dir));
      if (json === true) printJson(io, shown);
      else for (const one of shown) print(io, describe(one));
      if (shown.every((one) => one.leader === null)) fail(EXIT_FAILED);
    });
  leader
    .command('transfer')
    .summary('hand over to another sentry-link, without losing a vote')
    .description(
      'Asks the sentry-link that leads, whose home is DIR or lies in it; on other hosts it says where. What is being signed is answered, nothing new is taken, the ' +
        'connections to the nodes are closed, and the other one dials them at once. Before a restart or an upgrade it is not ' +
        'needed: a sentry-link that is told to end does the same.',
    )
    .argument('[dir]', 'a home, or a folder of homes', '.')
    .option('--to <name>', 'sentry-link that is to lead; left out: one that is ready')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('hekate leader transfer ./cluster/sentry-link-1 --to sentry-link-2'))
    .action(async (dir: string, { to, json }: { to?: string; json?: boolean }) => {
      const { askProcess } = await import('../shared/status/ask-process.js');
      const home = await leadingHome(resolve(dir));
      const request = { request: 'transfer', params: to === undefined ? {} : { to } };
      const done = (await askProcess(home, request, TRANSFER_MS)) as { readonly from: string; readonly to: string };
      if (json === true) printJson(io, done);
      else print(io, `${done.to} leads now; ${done.from} stands by`);
    });
}

async function show(dir: string): Promise<readonly Shown[]> {
  const { collectStatus } = await import('../setup/collect-status.js');
  const { HekateError } = await import('../shared/errors.js');
  const collected = await collectStatus(dir);
  const shown = collected.flatMap((one): Shown[] => {
    if (!one.running || one.status.kind !== 'sentry-link') return [];
    const { name, leader, term, standbys } = one.status;
    return [{ home: one.home, name, leader, term, standbys }];
  });
  if (shown.length === 0)
    throw new HekateError('NOT_RUNNING', `no sentry-link runs whose home is ${dir} or lies in it`);
  return shown;
}

/** Of several that stand by, any says who leads. */
export async function leadingHome(dir: string): Promise<string> {
  const shown = await show(dir);
  const first = shown.find(({ name, leader }) => name === leader) ?? shown[0];
  return must(first, 'show() throws where there is none').home;
}

function describe({ home, name, leader, term, standbys }: Shown): string {
  if (leader === null) return `${home}: ${name} knows no leader`;
  if (leader !== name) return `${home}: ${name} stands by, ${leader} leads`;
  const ready = standbys.length === 0 ? 'no other is ready to take over' : `ready to take over: ${standbys.join(', ')}`;
  return `${home}: ${name} leads, term ${term}; ${ready}`;
}
