import type { NodeServing } from '../../sentry-link/assembly.js';
import type { NodeServiceDeps } from '../../sentry-link/node/node-service.js';
import type { NodeAddress } from '../../src/shared/config/node-address.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { MessageReader } from '../../src/shared/privval/delimited.js';
import { decodeRequest } from '../../src/shared/privval/request.js';
import { decodeResponse } from '../../src/shared/privval/response.js';
import type { ServedJudge } from './served-judge.js';

interface Request {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
  readonly atMs: number;
}

/** Tells judges, one for each chain, what one process of a link reads from its nodes, answers and is told, at its own time. */
export class WatchedNodes {
  readonly #clock: Clock;
  readonly #judges: ReadonlyMap<string, ServedJudge>;
  /** Whose bytes are being read. */
  #reading: string | undefined;

  constructor(clock: Clock, judges: ReadonlyMap<string, ServedJudge>) {
    this.#clock = clock;
    this.#judges = judges;
  }

  channel(address: NodeAddress, inner: ByteChannel): ByteChannel {
    const node = nameOf(address);
    const [requests, responses] = [new MessageReader(), new MessageReader()];
    let asked: Request | undefined;
    const gone = (): void => {
      for (const judge of this.#judges.values()) judge.gone(node, this.#clock.nowMs());
    };
    return {
      write: (bytes) => {
        responses.push(bytes);
        for (let one = responses.next(); one !== undefined; one = responses.next()) {
          const response = decodeResponse(one);
          const isNotServed = response.kind === 'refused' && response.error.description.startsWith('NODE_NOT_SERVED');
          if (isNotServed && asked !== undefined)
            this.#judges.get(asked.chainId)?.notServed(node, asked.height, asked.round, asked.atMs);
        }
        inner.write(bytes);
      },
      close: () => {
        gone();
        inner.close();
      },
      start: (handlers) => {
        for (const judge of this.#judges.values()) judge.connected(node);
        inner.start({
          bytes: (bytes) => {
            requests.push(bytes);
            for (let one = requests.next(); one !== undefined; one = requests.next()) asked = this.#read(one) ?? asked;
            this.#reading = node;
            handlers.bytes(bytes);
            this.#reading = undefined;
          },
          closed: (reason) => {
            gone();
            handlers.closed(reason);
          },
        });
      },
    };
  }

  #read(message: Uint8Array): Request | undefined {
    const request = decodeRequest(message);
    if (request.kind !== 'signVote' && request.kind !== 'signProposal') return undefined;
    const { height, round } = request.kind === 'signVote' ? request.vote : request.proposal;
    return { chainId: request.chainId, height, round, atMs: this.#clock.nowMs() };
  }

  /** What is served is asked for while the request is being read. */
  sign(inner: NodeServiceDeps['sign']): NodeServiceDeps['sign'] {
    return async (chainId, vote) => {
      const judge = this.#judges.get(chainId);
      const { height, round } = vote.signBytes.says;
      const ask =
        this.#reading === undefined ? undefined : judge?.served(this.#reading, height, round, this.#clock.nowMs());
      const outcome = await inner(chainId, vote);
      const code = outcome.kind === 'refused' ? outcome.code : undefined;
      if (ask !== undefined) judge?.answered(ask, code, this.#clock.nowMs());
      return outcome;
    };
  }

  service(inner: NodeServing): NodeServing {
    const reset = (): void => {
      for (const judge of this.#judges.values()) judge.reset();
    };
    return {
      open: () => inner.open(),
      close: () => {
        inner.close();
        reset();
      },
      retire: async (maxMs) => {
        await inner.retire(maxMs);
        reset();
      },
      status: () => inner.status(),
      reaches: (chainId) => inner.reaches(chainId),
      use: (node, chainId) => {
        const used = inner.use(node, chainId);
        for (const one of used)
          this.#judges.get(one.chainId)?.chosen(one.node.replace(/^tcp:\/\/(.*):\d+$/, '$1'), this.#clock.nowMs());
        return used;
      },
    };
  }
}

function nameOf(address: NodeAddress): string {
  return address.transport === 'tcp' ? address.host : address.path;
}
