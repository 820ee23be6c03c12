import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { InitResult } from '../setup/init/init.js';
import { print, printJson, warn, type Io } from './io.js';
import * as options from './options.js';
import { fileNameOr, STANDARD_INPUT } from './read-input.js';
import { whileUninterrupted } from './uninterrupted.js';

interface InitOptions extends options.StartOptions {
  readonly chainId: string;
  readonly node: readonly string[];
  readonly key?: string;
  readonly threshold?: number;
  readonly cosigner?: readonly string[];
  readonly listen?: readonly string[];
  readonly links?: number;
  readonly maxHeightsPerSecond?: number;
  readonly json?: boolean;
}

export function addInitCommand(program: Command, io: Io): void {
  const command = program
    .command('init')
    .summary('make the folders of a cluster, or add a chain to them')
    .description(
      'Writes one ready folder for each process into DIR: configuration, share, TLS identity, pinned certificates, first ' +
        'watermark, and a README of what goes to which host. With another --chain-id in a DIR that it made before, it adds ' +
        'a chain to every folder. All of it is written, or nothing.',
    )
    .argument('<dir>', 'folder to make or to add to')
    .requiredOption('--chain-id <id>', 'chain id, as in genesis.json')
    .requiredOption('--node <addr...>', 'priv_validator_laddr of the node: tcp://host:port or unix:///path')
    .option('--key <file>', 'deal this priv_validator_key.json (- for standard input); without it a new key is made')
    .option('--threshold <t>', 'cosigners that a signature needs; more than half', options.parseWholeNumber)
    .option('--cosigner <host:port...>', 'where sentry-links reach each cosigner, in order')
    .option(
      '--listen <host:port...>',
      'where each cosigner listens, in the same order, if links reach it by another address: NAT, a container, a tunnel ' +
        '(default: every address of its host)',
    )
    .option('--links <n>', 'sentry-links (default: one for each cosigner, at most 3)', options.parseWholeNumber)
    .option(
      '--max-heights-per-second <n>',
      'what cosigners sign of this chain at most, well above what it makes; 0 for any (default: 3)',
      options.parseHeightsPerSecond,
    )
    .option('--json', 'print the result as JSON');
  options.addStartOptions(command);
  command.addHelpText(
    'after',
    `
A key that exists needs to say where its watermark starts: one of --state, --height and --never-signed. A
state file at height 0 does not say that: that is what a node writes anew where there is none. Stop the old
signer for good first. A signer that starts too low can sign a height a second time, and the validator is slashed.
${options.examples(
  'hekate init ./cluster --chain-id mychain-1 --node tcp://10.0.0.5:26659 --threshold 2 \\',
  '  --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001 \\',
  '  --key priv_validator_key.json --state priv_validator_state.json',
  '',
  'Another chain on the same cluster, with a new key:',
  'hekate init ./cluster --chain-id other-1 --node tcp://10.0.0.6:26659',
)}`,
  );
  command.action(async (dir: string, given: InitOptions) => {
    const result = await makeCluster(resolve(dir), given, io);
    const { publicKeyForms } = await import('../shared/keys/formats.js');
    const { describeFloor, describeWatermark } = await import('../setup/state-report.js');
    const { cometbft, sdk, hex, address } = publicKeyForms(result.info.groupPublicKey, 'cosmos');
    const forms = { cometbft, sdk, hex, address };
    if (given.json === true)
      printJson(io, {
        dir: result.dir,
        chainId: result.info.chainId,
        threshold: result.plan.threshold,
        count: result.plan.cosigners.length,
        links: result.plan.links,
        folders: result.folders,
        addedToCluster: result.addedToCluster,
        generatedKey: result.generatedKey,
        watermark: describeWatermark(result.start),
        publicKey: forms,
      });
    else describe(result, forms, describeFloor(result.start), given, io);
  });
}

async function makeCluster(dir: string, given: InitOptions, io: Io): Promise<InitResult> {
  const { DROPPED_ID, hasDroppedId, parseNodeAddress } = await import('../shared/config/node-address.js');
  for (const { text, droppedId } of given.node.map(parseNodeAddress).filter(hasDroppedId))
    warn(io, `the id ${droppedId} is left out of ${text}: ${DROPPED_ID}`);
  const { initCluster } = await import('../setup/init/init.js');
  const { checkRequest } = await import('../setup/init/request.js');
  const { wipeKey } = await import('../setup/keys/priv-validator-key.js');
  const { nodeDisk } = await import('../shared/ports/node-disk.js');
  const { systemRandom } = await import('../shared/ports/random.js');
  const { chainId, node: nodes, threshold, links, maxHeightsPerSecond } = given;
  const cosigners = given.cosigner && (await Promise.all(given.cosigner.map(options.parseAddress)));
  const listen = given.listen && (await Promise.all(given.listen.map(options.parseAddress)));
  const { systemWallSecond } = await import('../shared/ports/clock.js');
  const { chooseStart } = await import('../setup/watermark-start.js');
  options.checkOneStandardInput(given.key, given.state);
  const inputs = await options.readStart(given, chainId);
  const nowSecond = systemWallSecond();
  const request = { dir, chainId, nodes, threshold, links, cosigners, listen, maxHeightsPerSecond };
  // What can be refused without the key is refused before it is read.
  checkRequest({ ...request, start: chooseStart(inputs, undefined, nowSecond) }, given.key !== undefined);
  const key = given.key === undefined ? undefined : await options.readKey(given.key, io);
  try {
    const start = chooseStart(inputs, key, nowSecond);
    const deps = { disk: nodeDisk, random: systemRandom };
    return await whileUninterrupted(() => initCluster({ ...request, key, start }, deps));
  } finally {
    if (key !== undefined) wipeKey(key);
  }
}

function describe(result: InitResult, forms: object, floor: string, given: InitOptions, io: Io): void {
  const { plan, info, dir, recovery } = result;
  if (recovery !== undefined && 'finished' in recovery)
    print(io, `Finished an earlier init that was interrupted: chain ${recovery.finished} is in.`, '');
  const what = `${plan.threshold} of ${plan.cosigners.length} cosigners sign, ${plan.links} sentry-links`;
  print(
    io,
    result.addedToCluster
      ? `Added chain ${info.chainId} to every folder in ${dir} (${what}).`
      : `Made a cluster for chain ${info.chainId} in ${dir}: ${what}.`,
    ...result.folders.map((name) => `  ${name}`),
    '',
    'Public key of the validator:',
    ...Object.values(forms).map((form) => `  ${typeof form === 'string' ? form : JSON.stringify(form)}`),
    '',
    ...aboutTheKey(result, given.key),
    '',
    `The watermark of every cosigner ${floor}.`,
    '',
    'Next:',
    ...(result.addedToCluster
      ? ['  1. Copy the new chains/ and state/ entries and the changed TOML files to their hosts.']
      : [`  1. Copy each folder to its host and delete it here; ${dir}/README.md says which goes where.`]),
    ...nextSteps(
      ...(result.generatedKey ? [] : ["Move the key file away from the node's host, before the node starts again."]),
      'Start the cosigners: hekate cosigner start --home FOLDER',
      'Start the sentry-links: hekate sentry-link start --home FOLDER',
      `Start the node last, with a priv_validator_laddr that the sentry-links reach as ${result.nodes.join(', ')}`,
    ),
  );
}

/** Numbered, after the first one. */
function nextSteps(...steps: readonly string[]): readonly string[] {
  return steps.map((step, i) => `  ${i + 2}. ${step}`);
}

function aboutTheKey({ generatedKey, plan }: InitResult, keyFile: string | undefined): readonly string[] {
  const shares = `Any ${plan.threshold} of the ${plan.cosigners.length} share.key files are the key: keep them apart, back each up.`;
  if (generatedKey)
    return [
      'The key was made in the memory of this process, dealt and wiped: from now on there are only its shares.',
      shares,
    ];
  return [
    `${fileNameOr(keyFile ?? STANDARD_INPUT, 'The key file')} still holds the whole key. Move it offline, and see that no node and no other signer uses it`,
    `again: two signers of one key are how validators get slashed. ${shares}`,
  ];
}
