import { HekateError } from '../../shared/errors.js';
import { ENOUGH_HEIGHTS, standsStill, type ChainReport } from './chain-watch.js';
import type { AnyOldChain, AnyOldSigner } from './old-signer.js';
import type { ProcessReport } from './process-table.js';
import type { StateWatch } from './state-watch.js';

/** Everything that was asked about whether the old signer is stopped. */
export interface Evidence {
  /** Undefined: processes cannot be seen on this system. */
  readonly processes: ProcessReport | undefined;
  /** Addresses of nodes that somebody on this host is connected to. */
  readonly connected: readonly string[];
  readonly states: readonly StateWatch[];
  readonly reports: readonly ChainReport[];
  /** Why other reports are missing. */
  readonly problems: readonly HekateError[];
  /** For so long state files were watched. */
  readonly watchedSeconds: number;
}

/** What follows from it. */
export interface Verdict {
  /** What shows that it is stopped, a sentence each. */
  readonly proofs: readonly string[];
  /** What nothing shows. */
  readonly unproven: readonly string[];
  readonly refusals: readonly HekateError[];
}

/** Whether the old signer is stopped. `byWord`: an operator says so, which counts only where nothing could be asked. */
export function judgeStopped(old: AnyOldSigner, evidence: Evidence, byWord: boolean): Verdict {
  const { processes, connected, states, watchedSeconds } = evidence;
  const proofs: string[] = [];
  const unproven: string[] = [];
  const refusals: HekateError[] = [];
  const lives = (problem: string): void => void refusals.push(new HekateError('OLD_SIGNER_RUNS', problem));

  for (const { pid, name, why } of processes?.found ?? []) lives(`process ${pid} (${name}) ${why}`);
  for (const { pid, name, why } of processes?.others ?? [])
    unproven.push(`that process ${pid} (${name}), which ${why}, does not sign with the same key`);
  for (const node of connected)
    lives(`somebody on this host is connected to ${node}, where a node waits for its signer`);
  for (const { file, ageSeconds, changed } of states)
    if (changed) lives(`${file} changed while it was watched`);
    else proofs.push(`${file} did not change for ${watchedSeconds} s; it was written ${ageSeconds} s ago`);
  if (processes === undefined)
    unproven.push('that no process of it runs here: this system does not show its processes');
  else if (processes.found.length === 0) {
    proofs.push('no process of it runs on this host');
    if (processes.hidden > 0)
      unproven.push(
        `that none of ${processes.hidden} processes of other users has its files open: run this as root to see`,
      );
  }
  for (const chain of old.chains) judgeChain(chain, evidence, byWord, { proofs, unproven, refusals, lives });
  return { proofs, unproven, refusals };
}

interface Findings {
  readonly proofs: string[];
  readonly unproven: string[];
  readonly refusals: HekateError[];
  readonly lives: (problem: string) => void;
}

function judgeChain(
  { chainId, state }: AnyOldChain,
  { reports, states }: Evidence,
  byWord: boolean,
  { proofs, unproven, refusals, lives }: Findings,
): void {
  const own = reports.filter(({ network }) => network === chainId);
  for (const { url, signedMeanwhile } of own)
    if (signedMeanwhile.length > 0)
      lives(
        `${url} has a signature of this key at height ${signedMeanwhile.at(-1)} of ${chainId}, made while it was watched or just before`,
      );
  const silent = own.filter(isSilent);
  for (const report of silent) proofs.push(`${report.url}: ${describeSilence(report)}`);
  const reasons = own.filter((report) => !isSilent(report) && report.signedMeanwhile.length === 0).map(whyNotSilent);
  if (own.length === 0)
    unproven.push(`that the key of ${chainId} signs nowhere else: no RPC of that chain has answered (--rpc)`);
  else if (silent.length === 0)
    unproven.push(...reasons.map((reason) => `that the key of ${chainId} signs nowhere else: ${reason}`));
  if (silent.length > 0 || own.some(({ signedMeanwhile }) => signedMeanwhile.length > 0)) return;

  // Nothing was signed by one whose state stands at zero, or it is not the state that was used.
  const stands = states.some(({ file, changed }) => file === state?.file && !changed);
  if (state !== undefined && state.found.watermark.height > 0n && stands) return;
  if (own.length > 0)
    refusals.push(
      new HekateError(
        'OLD_SIGNER_UNPROVEN',
        `nothing shows that the old signer of ${chainId} is stopped: ${reasons.join('; ')}`,
      ),
    );
  else if (byWord) proofs.push(`you say that the old signer of ${chainId} is stopped (--i-stopped-it)`);
  else
    refusals.push(
      new HekateError(
        'OLD_SIGNER_UNPROVEN',
        `nothing shows that the old signer of ${chainId} is stopped: there is neither a state file that says where it signed, nor an --rpc of the chain`,
      ),
    );
}

/** The key certainly signed nothing while the chain was watched, and would have. */
export function isSilent(report: ChainReport): boolean {
  const { catchingUp, power, signedMeanwhile, newHeights } = report;
  if (catchingUp || power === undefined || signedMeanwhile.length > 0) return false;
  return newHeights >= ENOUGH_HEIGHTS || standsStill(report);
}

function describeSilence({ newHeights, height, network }: ChainReport): string {
  return newHeights === 0
    ? `${network} stands still at height ${height}, as it must without this key's votes`
    : `${network} has made ${newHeights} blocks to height ${height} without a signature of this key`;
}

function whyNotSilent({ url, network, catchingUp, power, newHeights, height }: ChainReport): string {
  if (catchingUp) return `${url} is catching up with ${network}, and does not know its newest blocks`;
  if (power === undefined) return `${url} says that this key is none of the validators of ${network}`;
  if (newHeights === 0)
    return `${url} says that ${network} stays at height ${height}; look again when it goes on, or watch it for longer (--watch)`;
  return `${url} has seen only one new block of ${network}; watch it for longer (--watch)`;
}
