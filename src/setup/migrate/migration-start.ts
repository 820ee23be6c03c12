import { HekateError } from '../../shared/errors.js';
import { fullPace } from '../../shared/watermark/height-pace.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../../shared/watermark/rules.js';
import {
  compareHrs,
  describePlace,
  floorAtHeight,
  neverSigned,
  type Watermark,
} from '../../shared/watermark/watermark.js';
import { chooseStart } from '../watermark-start.js';
import type { ChainReport } from './chain-watch.js';
import type { AnyOldChain } from './old-signer.js';
import { isSilent } from './stopped.js';

/** What an operator said about where the key has signed. */
export interface AskedStart {
  /** Refuse this height and all below it, whatever else is known. */
  readonly height: bigint | undefined;
  /** This key certainly never signed on this chain. */
  readonly neverSigned: boolean;
}

export interface MigrationStart {
  readonly start: Watermark;
  /** Who knows of it, for messages. */
  readonly from: string;
}

/** A vote for the height after the newest, and a node that has not heard of that one yet. */
const AHEAD_AT_MOST = 2n;
/** Several nodes of one chain are about as far as each other. */
const APART_AT_MOST = 100n;

/**
 * Where the watermark starts: the highest of all that is known. A height of the RPC counts as a whole one: nothing is signed at it.
 * Throws WATERMARK_START_…, STATE_IMPORT_INVALID, OLD_STATE_BEHIND, OLD_STATE_AHEAD and RPC_INVALID.
 */
export function chooseMigrationStart(
  chain: AnyOldChain,
  reports: readonly ChainReport[],
  asked: AskedStart,
  nowSecond: number,
): MigrationStart {
  checkReports(chain, reports, asked);
  const known = [...ofFiles(chain, nowSecond), ...ofChain(reports, nowSecond), ...ofOperator(asked, nowSecond)];
  const [first, ...others] = known;
  if (asked.neverSigned) checkNeverSigned(chain, reports);
  if (first === undefined) return startOfNothing(chain, asked);
  const highest = others.reduce((most, one) => (compareHrs(one.start, most.start) > 0 ? one : most), first);
  const isOnlyOfChain = asked.height === undefined && !asked.neverSigned && ofFiles(chain, nowSecond).length === 0;
  if (isOnlyOfChain && !reports.some((report) => report.newHeights > 0 && isSilent(report)))
    throw new HekateError(
      'WATERMARK_START_UNSURE',
      `${chain.chainId} stands at height ${reports[0]?.height ?? 0n}, and no state file says whether the old signer has voted above it already`,
    );
  return highest;
}

function ofFiles({ state, key, lastSigned, keyFrom }: AnyOldChain, nowSecond: number): readonly MigrationStart[] {
  const found: MigrationStart[] = [];
  if (state !== undefined && state.found.watermark.height > 0n) {
    const inputs = { state: state.found, height: undefined, neverSigned: false };
    const start = chooseStart(inputs, { publicKey: key.publicKey }, nowSecond);
    if (start !== undefined) found.push({ start, from: state.file });
  }
  if (lastSigned !== undefined) {
    const start = { ...lastSigned, ...{ signBytes: undefined, fresh: false, pace: fullPace(nowSecond) } };
    found.push({ start, from: keyFrom });
  }
  return found;
}

function ofChain(reports: readonly ChainReport[], nowSecond: number): readonly MigrationStart[] {
  return reports
    .filter(({ height }) => height > 0n)
    .map(({ height, url }) => ({ start: { ...floorAtHeight(height), pace: fullPace(nowSecond) }, from: url }));
}

function ofOperator({ height }: AskedStart, nowSecond: number): readonly MigrationStart[] {
  if (height === undefined) return [];
  if (height === 0n) throw new HekateError('WATERMARK_START_UNSURE', 'height 0 refuses nothing');
  return [{ start: { ...floorAtHeight(height), pace: fullPace(nowSecond) }, from: '--height' }];
}

function startOfNothing({ chainId, state }: AnyOldChain, asked: AskedStart): MigrationStart {
  if (asked.neverSigned) return { start: neverSigned(), from: '--never-signed' };
  if (state !== undefined)
    throw new HekateError(
      'WATERMARK_START_UNSURE',
      `${state.file} stands at height 0, as one that was made anew: it knows nothing of what was signed on ${chainId}`,
    );
  throw new HekateError('WATERMARK_START_MISSING', `nothing says where the key of ${chainId} has signed up to`, {
    fix: 'give the state file of the old signer, --rpc with a node of the chain that goes on, or --height with a height at or above everything it signed',
  });
}

function checkNeverSigned({ state, lastSigned }: AnyOldChain, reports: readonly ChainReport[]): void {
  const place = lastSigned ?? state?.found.watermark;
  const onChain = reports.find((report) => report.lastSigned !== undefined);
  const found =
    place !== undefined && place.height > 0n
      ? `its own file says that this key signed at ${describePlace(place)}`
      : onChain !== undefined && `${onChain.url} has a signature of this key at height ${onChain.lastSigned}`;
  if (found !== false) throw new HekateError('WATERMARK_START_CONTRADICTED', `--never-signed, but ${found}`);
}

/** What files and RPCs say must fit together; with --height an operator answers for what lies below it. */
function checkReports(
  { chainId, state }: AnyOldChain,
  reports: readonly ChainReport[],
  { height: asked = 0n }: AskedStart,
): void {
  const current = reports.filter(({ catchingUp }) => !catchingUp);
  for (const [i, a] of current.entries())
    for (const b of current.slice(i + 1))
      if (abs(a.height - b.height) > APART_AT_MOST)
        throw new HekateError(
          'RPC_INVALID',
          `${a.url} says that ${chainId} is at height ${a.height}, ${b.url} says ${b.height}`,
        );
  const at = state?.found.watermark.height ?? 0n;
  if (state === undefined || at === 0n) return;
  for (const { url, height, lastSigned, catchingUp } of reports) {
    if (lastSigned !== undefined && lastSigned > at && asked < lastSigned)
      throw new HekateError(
        'OLD_STATE_BEHIND',
        `${state.file} says that the key signed at height ${at} last, and ${url} has a signature of it at height ${lastSigned}`,
      );
    if (height > at + DEFAULT_MAX_HEIGHT_JUMP && asked < height)
      throw new HekateError(
        'RPC_INVALID',
        `${url} says that ${chainId} is at height ${height}, and the state file stands at ${at}`,
        {
          fix: `look up where the chain is; if it is that far, add --height ${height}`,
        },
      );
    if (!catchingUp && at > height + AHEAD_AT_MOST)
      throw new HekateError(
        'OLD_STATE_AHEAD',
        `${state.file} stands at height ${at}, and ${url} says that ${chainId} is at ${height}`,
      );
  }
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
