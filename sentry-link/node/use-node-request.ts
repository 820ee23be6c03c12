import { z } from 'zod';
import { processRequest, type ProcessRequest } from '../../src/shared/status/process-requests.js';
import type { Leader } from '../leadership/leader-view.js';
import { notLeader } from '../leadership/transfer-request.js';
import type { NodeUsed } from './node-service.js';

/** As long as an address may be. */
const MAX_NODE_LENGTH = 512;
const MAX_CHAIN_ID_LENGTH = 64;
const PARAMS = z.strictObject({
  node: z.string().min(1).max(MAX_NODE_LENGTH),
  chain: z.string().min(1).max(MAX_CHAIN_ID_LENGTH).optional(),
});

/** What is needed of a link. */
export interface CanUseNode {
  readonly name: string;
  /** Undefined while this link does not lead. */
  term(): number | undefined;
  leader(): Leader | undefined;
  /** Serves that node; see NodeService. */
  use(node: string, chain: string | undefined): readonly NodeUsed[];
}

/** `hekate node use`. NOT_LEADER and what `use` throws refuse it, and change nothing. */
export function useNodeRequest(link: CanUseNode): ProcessRequest {
  return processRequest(PARAMS, ({ node, chain }): { readonly used: readonly NodeUsed[] } => {
    if (link.term() === undefined) throw notLeader(link);
    return { used: link.use(node, chain) };
  });
}
