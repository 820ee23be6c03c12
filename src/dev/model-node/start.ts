import { systemClock, type Clock } from '../../shared/ports/clock.js';
import { systemRandom, type RandomBytes } from '../../shared/ports/random.js';
import { Backlog } from './backlog.js';
import { heightFile, memoryHeight } from './height-store.js';
import { listenForSigners, type ListenAddress } from './listen.js';
import { ModelNode, type ModelNodeEvents, type ModelNodeOptions } from './model-node.js';
import { SignerEndpoint, type AcceptGeneration, type EndpointEvents } from './signer-endpoint.js';

export interface StartOptions extends Partial<Omit<ModelNodeOptions, 'chainId'>> {
  readonly chainId: string;
  readonly listen: ListenAddress;
  /** Where the height is kept; without it every start begins at height 1. */
  readonly heightPath?: string;
  readonly generation?: AcceptGeneration;
  readonly events?: ModelNodeEvents & EndpointEvents;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
}

export interface RunningModelNode {
  /** As a signer dials it. */
  readonly address: string;
  readonly node: ModelNode;
  readonly endpoint: SignerEndpoint;
  /** Closes the port and the connection, and ends run(). */
  stop(): Promise<void>;
}

/**
 * A model node on a real socket. It listens when this resolves; `node.run()` then makes blocks. Defaults: 0.37's habits, a
 * block a second, waiting for its signer.
 */
export async function startModelNode(options: StartOptions): Promise<RunningModelNode> {
  const { chainId, heightPath, events = {}, clock = systemClock, random = systemRandom } = options;
  const backlog = new Backlog(clock);
  const listening = await listenForSigners(options.listen, backlog, { clock, random });
  const endpoint = new SignerEndpoint({ backlog, clock, events, generation: options.generation ?? 'C' });
  const defaults = { version: '0.37', blockMs: 1_000, roundMs: 1_000, waitForSigner: true } as const;
  const heights = heightPath === undefined ? memoryHeight() : heightFile(heightPath, chainId);
  const node = new ModelNode({ ...defaults, ...options }, { endpoint, heights, clock, events });
  endpoint.start();
  return {
    address: listening.address,
    node,
    endpoint,
    stop: async () => {
      const ended = node.stop();
      endpoint.stop();
      await Promise.all([ended, listening.close()]);
    },
  };
}
