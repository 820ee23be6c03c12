import { z } from 'zod';
import { HekateError } from '../../src/shared/errors.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { processRequest, type ProcessRequest } from '../../src/shared/status/process-requests.js';
import type { Leader } from './leader-view.js';

/** A standby that is asked takes the lease within a round trip; then the cosigners say so with their next answer. */
const TAKEN_MS = 2_000;
const LOOK_MS = 20;

const PARAMS = z.strictObject({ to: z.string().min(1).max(64).optional() });

/** What is needed of a link. */
export interface CanTransfer {
  /** Of this link, as the cosigners have pinned it. */
  readonly name: string;
  /** Undefined while this link does not lead. */
  term(): number | undefined;
  /** As the cosigners have it. */
  leader(): Leader | undefined;
  /** Links that are ready to lead. */
  standbys(): readonly string[];
  /** Answers what is under way, lets go of the nodes, and gives the lease to that link. */
  handOver(to: string): Promise<void>;
}

/** What is answered: who led, and who leads now. */
export interface Transferred {
  readonly from: string;
  readonly to: string;
}

/**
 * `hekate leader transfer`: hands the lease over to a link that is ready, and answers when that one leads. NOT_LEADER,
 * LINK_NOT_READY and BUSY refuse it, and change nothing; HANDOVER_FAILED comes after it has let go.
 */
export function transferRequest(link: CanTransfer, clock: Clock): ProcessRequest {
  let under = false;
  return processRequest(PARAMS, async ({ to: asked }): Promise<Transferred> => {
    if (link.term() === undefined) throw notLeader(link);
    const to = chosen(asked, link);
    if (under) throw new HekateError('BUSY', 'it is being handed over already', { fix: 'see `hekate leader show`' });
    under = true;
    try {
      await link.handOver(to);
      await taken(to, link, clock);
    } finally {
      under = false;
    }
    return { from: link.name, to };
  });
}

/** Says who does. */
export function notLeader(link: Pick<CanTransfer, 'name' | 'leader'>): HekateError {
  const leader = link.leader()?.name;
  if (leader === undefined || leader === link.name) return new HekateError('NOT_LEADER', 'no sentry-link leads now');
  const fix = `run it on the host of ${leader}, with the home of that sentry-link`;
  return new HekateError('NOT_LEADER', `${link.name} does not lead, ${leader} does`, { fix });
}

function chosen(asked: string | undefined, link: CanTransfer): string {
  if (asked === link.name) throw new HekateError('LINK_NOT_READY', `${asked} is the one that leads`);
  const ready = link.standbys();
  const to = asked ?? ready[0];
  if (to !== undefined && ready.includes(to)) return to;
  const others = ready.length === 0 ? 'no other sentry-link is' : `ready: ${ready.join(', ')}`;
  const what = asked === undefined ? 'there is none to hand over to' : `no sentry-link named ${asked} is ready to lead`;
  throw new HekateError('LINK_NOT_READY', asked === undefined ? `${what}: ${others}` : `${what}; ${others}`);
}

async function taken(to: string, link: CanTransfer, clock: Clock): Promise<void> {
  for (const endMs = clock.nowMs() + TAKEN_MS; clock.nowMs() < endMs;) {
    if (link.leader()?.name === to) return;
    await new Promise<void>((resolve) => void clock.schedule(LOOK_MS, resolve));
  }
  throw new HekateError('HANDOVER_FAILED', `${to} has not taken the lease within ${TAKEN_MS} ms`);
}
