import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HekateError } from '../shared/errors.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';
import { whileUninterrupted } from './uninterrupted.js';

interface AddOptions {
  readonly home: string;
  readonly certificate?: string;
  readonly from?: string;
  readonly name?: string;
  readonly expect?: string;
  readonly json?: boolean;
}

export function addAddLinkCommand(link: Command, io: Io): void {
  link
    .command('add')
    .summary('make the home of one more sentry-link, or let it in at a cosigner')
    .description(
      'With --from it makes a new home from the public files of another sentry-link (sentry-link.toml, tls/peers, ' +
        'chains/*/group.json), with identities of its own, and prints the certificate to carry. With --certificate it lets the ' +
        'owner of that one in at a cosigner.',
    )
    .requiredOption('--home <dir>', 'with --from the folder to make, with --certificate the home of a cosigner')
    .option('--from <dir>', 'folder with the public files of another sentry-link')
    .option('--certificate <file>', 'tls/identity.crt of the new one')
    .option('--name <name>', 'how it is called; with --certificate, if not as that says')
    .option('--expect <pin>', 'with --certificate: refuse one with another pin than was printed where it was made')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'hekate sentry-link add --home sentry-link-3 --from ./copy-of-sentry-link-1 --name sentry-link-3',
        'hekate sentry-link add --home cosigner-1 --certificate sentry-link-3.crt',
      ),
    )
    .action(async (given: AddOptions) => {
      const { from, certificate } = given;
      if ((from === undefined) === (certificate === undefined))
        throw new HekateError('USAGE', 'give --from or --certificate, one of the two');
      if (from !== undefined) await make(from, given, io);
      else if (certificate !== undefined) await letIn(certificate, given, io);
    });
}

async function make(from: string, { home, name, json }: AddOptions, io: Io): Promise<void> {
  const { makeLink } = await import('../setup/links/new-link.js');
  const { systemRandom } = await import('../shared/ports/random.js');
  const made = await whileUninterrupted(() => makeLink(resolve(home), resolve(from), name, systemRandom));
  if (json === true) return printJson(io, made);
  print(
    io,
    `${made.outcome === 'made' ? 'Made' : 'There is'} ${made.name} in ${home}: ${made.pin}`,
    'See that the nodes and cosigners in its sentry-link.toml can be reached from its host at these addresses.',
    `Carry ${made.certificate} to each cosigner, and there, with the path it has by then:`,
    `  hekate sentry-link add --home HOME --certificate ${made.name}.crt --expect ${made.pin}`,
    'Restart each of them; then start this one.',
  );
}

async function letIn(file: string, { home, name, expect, json }: AddOptions, io: Io): Promise<void> {
  const { checkExpected, readCarried } = await import('../setup/identity/certificate-file.js');
  const { addLink } = await import('../setup/links/pinned-links.js');
  const { changeCosigner } = await import('../setup/home/change-home.js');
  const carried = await readCarried(resolve(file));
  checkExpected(carried, file, expect);
  const pinned = await whileUninterrupted(() => changeCosigner(resolve(home), (at) => addLink(at, carried, name)));
  if (json === true) return printJson(io, pinned);
  const isNew = pinned.outcome === 'pinned';
  print(
    io,
    `${isNew ? 'Added' : 'Added already:'} ${pinned.name} ${pinned.pin}`,
    ...(expect === undefined ? ['See that `hekate identity show` prints the same pin in its own home.'] : []),
    ...(isNew ? ['It counts from the next start of this cosigner on.'] : []),
  );
}

export function addRemoveLinkCommand(link: Command, io: Io): void {
  link
    .command('remove')
    .summary('let a sentry-link in no more at a cosigner')
    .description(
      'Removes a sentry-link from the configuration of a cosigner, and its certificate. The only one is not removed.',
    )
    .argument('<name>', 'as in the configuration of the cosigner')
    .requiredOption('--home <dir>', 'home of a cosigner')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate sentry-link remove --home cosigner-1 sentry-link-1'))
    .action(async (name: string, { home, json }: { readonly home: string; readonly json?: boolean }) => {
      const { removeLink } = await import('../setup/links/pinned-links.js');
      const { changeCosigner } = await import('../setup/home/change-home.js');
      await whileUninterrupted(() => changeCosigner(resolve(home), (at) => removeLink(at, name)));
      if (json === true) return printJson(io, { removed: name });
      print(io, `Removed ${name}. It counts from the next start of this cosigner on.`);
    });
}
