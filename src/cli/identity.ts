import { resolve } from 'node:path';
import type { Command } from 'commander';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface HomeOptions {
  readonly home: string;
  readonly json?: boolean;
}

interface PinOptions extends HomeOptions {
  readonly name?: string;
  readonly expect?: string;
}

interface DropOptions extends HomeOptions {
  readonly name?: string;
  readonly new?: boolean;
}

const RESTART = 'It counts from the next start of this process on.';

export function addIdentityCommand(program: Command, io: Io): void {
  const identity = program
    .command('identity')
    .description(
      'Who a process is to the others: its TLS key and certificate, and whom it has pinned. Rotated without dealing anything ' +
        'anew, with old and new side by side (docs/identities.md).',
    )
    .addHelpText('after', examples('hekate identity new --home cosigner-1'));
  addNew(identity, io);
  addPin(identity, io);
  addSwitch(identity, io);
  addDrop(identity, io);
  addShow(identity, io);
}

function addNew(identity: Command, io: Io): void {
  withHome(identity.command('new'))
    .summary('make the next identity of a home')
    .description(
      'Makes a key and a certificate beside those in use, which stay. Prints the certificate to carry to the others; it is no ' +
        'secret. Run again it makes nothing, and prints the same.',
    )
    .addHelpText('after', examples('hekate identity new --home cosigner-1'))
    .action(async ({ home, json }: HomeOptions) => {
      const { newIdentity } = await import('../setup/identity/own-identity.js');
      const made = await change(home, newIdentity);
      if (json === true) return printJson(io, made);
      print(
        io,
        `${made.made ? 'Made' : 'There is'} the next identity of ${made.name}: ${made.pin}`,
        `Carry ${made.certificate} to the hosts of its peers, and there, with the path it has by then:`,
        `  hekate identity pin --home HOME ${made.name}.crt --expect ${made.pin}`,
        'Restart each of them. Only then, here: hekate identity switch',
      );
    });
}

function addPin(identity: Command, io: Io): void {
  withHome(identity.command('pin'))
    .summary('accept the next identity of a peer, beside the one that it shows')
    .argument('<certificate>', 'the .crt file that `hekate identity new` named')
    .description(
      'Pins a second certificate of a cosigner or sentry-link that this home knows: next_pin in the configuration, NAME.next.crt ' +
        'in its folder of certificates. Both are accepted then. For a sentry-link that is new here: `hekate sentry-link add`.',
    )
    .option('--name <name>', 'whose it is, if not as the certificate says')
    .option('--expect <pin>', 'refuse a certificate with another pin than `hekate identity new` printed')
    .addHelpText('after', examples('hekate identity pin --home sentry-link-1 cosigner-1.crt'))
    .action(async (file: string, { home, name, expect, json }: PinOptions) => {
      const { checkExpected, readCarried } = await import('../setup/identity/certificate-file.js');
      const { pinNext } = await import('../setup/identity/pinned-identity.js');
      const carried = await readCarried(resolve(file));
      checkExpected(carried, file, expect);
      const pinned = await change(home, (at) => pinNext(at, carried, name));
      if (json === true) return printJson(io, pinned);
      const isNew = pinned.outcome === 'pinned';
      print(
        io,
        `${isNew ? 'Pinned' : 'Pinned already:'} ${pinned.name} ${pinned.pin}`,
        ...(expect === undefined ? ['See that `hekate identity show` prints the same pin in its own home.'] : []),
        ...(isNew ? [RESTART] : []),
      );
    });
}

function addSwitch(identity: Command, io: Io): void {
  withHome(identity.command('switch'))
    .summary('show the next identity from the next start on')
    .description(
      'Puts the next identity in the place of the one in use, which is kept as the old one. All peers must have pinned it ' +
        'by then, and been restarted: a peer that has not refuses this process.',
    )
    .option('--back', 'show the old one again')
    .addHelpText('after', examples('hekate identity switch --home cosigner-1'))
    .action(async ({ home, back = false, json }: HomeOptions & { readonly back?: boolean }) => {
      const { switchIdentity } = await import('../setup/identity/own-identity.js');
      const switched = await change(home, (at) => switchIdentity(at, back));
      if (json === true) return printJson(io, switched);
      print(io, `Shows ${switched.pin} from the next start on; ${switched.kept} is kept.`);
    });
}

function addDrop(identity: Command, io: Io): void {
  withHome(identity.command('drop'))
    .summary('forget the old identity, once the new one is in use')
    .description(
      "Without --name it deletes this home's own old identity. With --name it forgets the old pin of that peer, " +
        'so that it is accepted with the new one alone. With --new it is the new one that goes: the rotation is called off.',
    )
    .option('--name <name>', 'a peer of this home')
    .option('--new', 'the next identity, or the second pin')
    .addHelpText('after', examples('hekate identity drop --home sentry-link-1 --name cosigner-1'))
    .action(async ({ home, name, new: isNew = false, json }: DropOptions) => {
      const { dropIdentity } = await import('../setup/identity/own-identity.js');
      const { dropPin } = await import('../setup/identity/pinned-identity.js');
      if (name === undefined) {
        const gone = await change(home, (at) => dropIdentity(at, isNew ? 'next' : 'old'));
        return json === true ? printJson(io, { dropped: gone }) : print(io, `Deleted the identity ${gone}.`);
      }
      const stays = await change(home, (at) => dropPin(at, name, isNew));
      if (json === true) return printJson(io, { name, pin: stays });
      print(io, `${name} has one pin: ${stays}`, RESTART);
    });
}

function addShow(identity: Command, io: Io): void {
  withHome(identity.command('show'))
    .summary('print the pins of a home: its own, and those of its peers')
    .addHelpText('after', examples('hekate identity show --home cosigner-1'))
    .action(async ({ home, json }: HomeOptions) => {
      const { readAnyHome } = await import('../setup/home/change-home.js');
      const { ownPins } = await import('../setup/identity/own-identity.js');
      const { pinnedIn } = await import('../setup/identity/pinned-identity.js');
      const at = await readAnyHome(resolve(home));
      const own = await ownPins(at);
      const peers = pinnedIn(at);
      if (json === true) return printJson(io, { name: at.name, ...own, peers });
      const line = (what: string, pin: string | undefined): string[] => (pin === undefined ? [] : [`  ${what} ${pin}`]);
      print(
        io,
        at.name,
        ...[...line('shows', own.shown), ...line('next ', own.next), ...line('old  ', own.old)],
        ...peers.flatMap(({ name, pin, nextPin }) => [name, ...line('pin ', pin), ...line('next', nextPin)]),
      );
    });
}

function withHome(command: Command): Command {
  return command.requiredOption('--home <dir>', 'home of a cosigner or sentry-link').option('--json', 'print JSON');
}

async function change<T>(
  home: string,
  task: (at: import('../setup/home/change-home.js').AnyHome) => Promise<T>,
): Promise<T> {
  const { changeHome } = await import('../setup/home/change-home.js');
  return whileUninterrupted(() => changeHome(resolve(home), task));
}
