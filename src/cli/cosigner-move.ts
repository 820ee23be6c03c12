import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import { print, printJson, type Io } from './io.js';
import { examples, parseAddress, parseWholeNumber } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface MoveOptions {
  readonly home: string;
  readonly to: string;
  readonly listen?: string;
  readonly id?: number;
  readonly out?: string;
  readonly json?: boolean;
}

export function addMoveCommand(cosigner: Command, io: Io): void {
  cosigner
    .command('move')
    .summary('give a cosigner another address, or take it to another host')
    .description(
      'In the home of a cosigner it changes where that listens; with --out it makes the folder to carry to a new host, with the ' +
        'share and without the state, and retires this home for good. In the home of a sentry-link it changes where that ' +
        'cosigner is dialled.',
    )
    .requiredOption('--home <dir>', 'home of the cosigner, or of a sentry-link')
    .requiredOption('--to <host:port>', 'where sentry-links reach it from now on')
    .option('--listen <host:port>', 'where it listens, if links reach it by another address')
    .option('--id <n>', 'of a sentry-link: which cosigner it is', parseWholeNumber)
    .option('--out <dir>', 'folder to make and to carry; the cosigner must not run')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'hekate cosigner move --home cosigner-1 --to 10.0.1.9:7001 --out moving/cosigner-1',
        'hekate cosigner move --home sentry-link-1 --id 1 --to 10.0.1.9:7001',
      ),
    )
    .action(async (given: MoveOptions) => {
      const to = await parseAddress(given.to);
      const listen = given.listen === undefined ? undefined : await parseAddress(given.listen);
      if (given.out !== undefined) await moveToHost(given, given.out, { to, listen }, io);
      else await changeAddress(given, { to, listen, id: given.id }, io);
    });
}

type Address = import('../setup/move/new-address.js').NewAddress;

async function changeAddress({ home, json }: MoveOptions, address: Address, io: Io): Promise<void> {
  const { changeHome } = await import('../setup/home/change-home.js');
  const move = await import('../setup/move/new-address.js');
  const changed = await whileUninterrupted(() => changeHome(resolve(home), (at) => move.changeAddress(at, address)));
  if (json === true) return printJson(io, changed);
  const { name, key, before, after } = changed;
  print(
    io,
    before === after ? `${name}: ${key} is ${after} already` : `${name}: ${key} ${before} is now ${after}`,
    ...(before === after ? [] : ['It counts from the next start of this process on.']),
  );
}

async function moveToHost(
  { home, id, json }: MoveOptions,
  out: string,
  address: Omit<Address, 'id'>,
  io: Io,
): Promise<void> {
  if (id !== undefined) throw new HekateError('USAGE', '--id and --out do not go together', { fix: 'leave --id out' });
  const move = await import('../setup/move/new-host.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const moved = await whileUninterrupted(() =>
    move.moveToHost(resolve(home), resolve(out), address, { disk: nodeDisk }),
  );
  if (json === true) return printJson(io, moved);
  print(
    io,
    ...(moved.outcome === 'moved'
      ? [`${moved.name} is in ${out} now, without its state; ${home} does not start any more.`]
      : [`${moved.name} was moved before, and ${out} is not here any more.`]),
    'Carry that folder to the new host over a safe channel and delete it here. There, before its first start:',
    ...moved.starts.map((command) => `  ${command}`),
    `In the home of each sentry-link: hekate cosigner move --home HOME --id ${moved.name.replace('cosigner-', '')} --to …`,
    `${out}/MOVED.md says the same.`,
  );
}
