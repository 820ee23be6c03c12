import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CollectedStatus } from '../setup/collect-status.js';
import type { WatermarkStatus } from '../shared/status/process-status.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

export function addStatusCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  program
    .command('status')
    .summary('what the processes of this host say about themselves')
    .description(
      'Asks each process whose home is DIR or lies in it: leader, term, watermarks, connections, latency, versions. The ' +
        'exit code is 1 when one of them does not run.',
    )
    .argument('[dir]', 'a home, or a folder of homes', '.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hekate status ./cluster', 'hekate status ./cluster --json | jq .'))
    .action(async (dir: string, { json }: { json?: boolean }) => {
      const { collectStatus } = await import('../setup/collect-status.js');
      const collected = await collectStatus(resolve(dir));
      if (json === true) printJson(io, collected);
      else print(io, collected.flatMap(describe).join('\n'));
      if (collected.some(({ running }) => !running)) fail(EXIT_FAILED);
    });
}

function describe(one: CollectedStatus): string[] {
  if (!one.running) return [`${one.home}: not running`, `  ${one.problem}`];
  const { status, home } = one;
  const common = `version ${status.version}, node ${status.node}, pid ${status.pid}, up ${status.uptimeSeconds} s`;
  if (status.kind === 'cosigner')
    return [
      `${home}: cosigner ${status.id}, ${common}`,
      `  term ${status.term}, leader ${status.leader ?? 'none'}, links connected: ${status.links.join(', ') || 'none'}`,
      ...status.chains.map((chain) => `  ${watermark(chain)}`),
    ];
  return [
    `${home}: ${status.name}, ${common}`,
    `  ${status.leading ? 'leads' : 'stands by'}, term ${status.term ?? 'none'}`,
    ...status.cosigners.map((peer) => {
      const state = !peer.connected ? 'not connected' : peer.quarantined ? 'left out: bad share' : 'connected';
      const delays = peer.connected ? `, round trip ${ms(peer.roundTripMs)}, signs in ${ms(peer.signMs)}` : '';
      return `  cosigner ${peer.id}: ${state}${delays}${peer.version === null ? '' : `, version ${peer.version}`}`;
    }),
    ...status.nodes.map(
      (node) =>
        `  node ${node.address} (${node.chainId}): ${node.connected ? 'connected' : 'not connected'}, ` +
        `${node.signed} signed, ${node.refused} refused`,
    ),
  ];
}

function watermark({ chainId, height, round, step, halted }: WatermarkStatus): string {
  return `${chainId}: watermark ${height}/${round}/${step}${halted === null ? '' : `, signs nothing: ${halted}`}`;
}

function ms(value: number | null): string {
  return value === null ? 'unknown' : `${value.toFixed(1)} ms`;
}
