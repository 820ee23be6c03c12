import { sameHost } from '../../src/shared/config/host-port.js';
import { nodeKey, parseNodeAddress, type NodeAddress } from '../../src/shared/config/node-address.js';
import { HekateError, isHekateError } from '../../src/shared/errors.js';

/**
 * The key (nodeKey) of the node that is meant: by its address in any way of writing it, by the path of its socket, or by its host alone where
 * no other node has that. Throws NODE_UNKNOWN.
 */
export function findNode(asked: string, nodes: readonly NodeAddress[]): string {
  const byKey = new Map(nodes.map((node) => [nodeKey(node), node]));
  const key = keyOf(asked);
  if (key !== undefined && byKey.has(key)) return key;
  const found = [...byKey].filter(([, node]) => isName(asked, node));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only[0];
  const which = found.length === 0 ? [...byKey.values()] : found.map(([, node]) => node);
  const what = found.length === 0 ? 'no node is named' : 'several nodes are named';
  throw new HekateError(
    'NODE_UNKNOWN',
    `${what} ${JSON.stringify(asked)}: ${which.map(({ text }) => text).join(', ')}`,
  );
}

function isName(asked: string, node: NodeAddress): boolean {
  if (node.transport === 'unix') return asked === node.path;
  return sameHost(asked.replace(/^\[(.*)\]$/, '$1')) === sameHost(node.host);
}

function keyOf(asked: string): string | undefined {
  try {
    return nodeKey(parseNodeAddress(asked));
  } catch (error) {
    if (isHekateError(error)) return undefined;
    throw error;
  }
}
