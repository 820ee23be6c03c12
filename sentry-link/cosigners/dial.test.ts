import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
import { HostNames, type LookupCode } from '../../src/shared/ports/host-names.js';
import { pinOf, type TlsIdentity } from '../../src/shared/transport/identity.js';
import { clientContext } from '../../src/shared/transport/tls.js';
import { makeIdentity } from '../../src/setup/identity/make-identity.js';
import { Dial } from './dial.js';

let identity: TlsIdentity;
beforeAll(async () => {
  identity = await makeIdentity('test');
});

/** A socket whose SYN nobody answers until the test does. */
class LostSocket extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

function dial(): { clock: ManualClock; sockets: LostSocket[]; outcome: string[]; giveUp: () => void } {
  const clock = new ManualClock();
  const sockets: LostSocket[] = [];
  const outcome: string[] = [];
  const peer = { name: 'cosigner-1', certPem: identity.certPem, pin: pinOf(identity.certPem) };
  const dialling = new Dial(
    { address: { host: '10.0.0.1', port: 7 }, context: clientContext(identity, [peer]), peer, otherPeers: [], clock },
    { connected: () => outcome.push('connected'), failed: ({ code }) => outcome.push(code) },
    () => {
      const socket = new LostSocket();
      sockets.push(socket);
      return socket as unknown as Socket;
    },
  );
  dialling.start();
  return { clock, sockets, outcome, giveUp: () => dialling.abandon() };
}

const fails = (socket: LostSocket | undefined, code: string): void =>
  void socket?.emit('error', Object.assign(new Error(code), { code }));

describe('while nothing answers', () => {
  it('another attempt starts every 250 ms, and all are given up after a second', () => {
    const { clock, sockets, outcome } = dial();
    clock.advance(250);
    expect(sockets).toHaveLength(2);
    clock.advance(749);
    expect(sockets).toHaveLength(4);
    expect(outcome).toEqual([]);
    clock.advance(1);
    expect(outcome).toEqual(['PEER_TIMEOUT']);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('given up by its owner, it leaves neither socket nor timer and says nothing', () => {
    const { clock, sockets, outcome, giveUp } = dial();
    clock.advance(300);
    giveUp();
    fails(sockets[1], 'ECONNREFUSED');
    clock.advance(10_000);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    expect([clock.pending, outcome]).toEqual([0, []]);
  });
});

describe('a cosigner whose address is a name', () => {
  /** What became of it when the look-up ends so, and the socket is refused. */
  const outcomeOf = async (answer: 'here' | LookupCode | 'never'): Promise<string[]> => {
    const clock = new ManualClock();
    const peer = { name: 'cosigner-1', certPem: identity.certPem, pin: pinOf(identity.certPem) };
    const names = new HostNames(async () => {
      if (answer === 'here') return [{ address: '10.0.0.1', family: 4 }];
      if (answer === 'never') return new Promise(() => {});
      throw Object.assign(new Error(answer), { code: answer });
    }, clock);
    const outcome: string[] = [];
    const dialling = new Dial(
      { address: { host: 'c', port: 7 }, context: clientContext(identity, [peer]), peer, otherPeers: [], clock, names },
      { connected: () => outcome.push('connected'), failed: ({ code }) => outcome.push(code) },
      (_address, addresses) => {
        outcome.push(...(addresses ?? []).map(({ address }) => address));
        const socket = new LostSocket();
        clock.schedule(10, () => fails(socket, 'ECONNREFUSED'));
        return socket as unknown as Socket;
      },
    );
    dialling.start();
    await clock.pass(2_000);
    expect(clock.pending).toBe(0);
    return outcome;
  };

  it.each<['here' | LookupCode | 'never', string[]]>([
    ['here', ['10.0.0.1', 'PEER_REFUSED']],
    ['ENOTFOUND', ['PEER_UNKNOWN_HOST']],
    ['EAI_AGAIN', ['PEER_DNS_FAILED']],
    ['never', ['PEER_DNS_TIMEOUT']],
  ])('is looked up before it is dialled: %s', async (answer, outcome) => {
    expect(await outcomeOf(answer)).toEqual(outcome);
  });
});

describe('a failed attempt ends the dial by name', () => {
  it.each([
    ['ECONNREFUSED', 'PEER_REFUSED'],
    ['ETIMEDOUT', 'PEER_TIMEOUT'],
    ['EHOSTUNREACH', 'PEER_UNREACHABLE'],
    ['ENETUNREACH', 'PEER_UNREACHABLE'],
    ['EADDRNOTAVAIL', 'PEER_UNREACHABLE'],
    ['ENOTFOUND', 'PEER_UNKNOWN_HOST'],
    ['EAI_AGAIN', 'PEER_DNS_FAILED'],
    ['EMFILE', 'PEER_FAILED'],
  ])('%s is %s', (errno, code) => {
    const { clock, sockets, outcome } = dial();
    clock.advance(250);
    fails(sockets[1], errno);
    fails(sockets[0], errno);
    expect(outcome).toEqual([code]);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
