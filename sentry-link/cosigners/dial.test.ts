import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
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

describe('a failed attempt ends the dial by name', () => {
  it.each([
    ['ECONNREFUSED', 'PEER_REFUSED'],
    ['ETIMEDOUT', 'PEER_TIMEOUT'],
    ['EHOSTUNREACH', 'PEER_UNREACHABLE'],
    ['ENETUNREACH', 'PEER_UNREACHABLE'],
    ['EADDRNOTAVAIL', 'PEER_UNREACHABLE'],
    ['ENOTFOUND', 'PEER_UNKNOWN_HOST'],
    ['EAI_AGAIN', 'PEER_UNKNOWN_HOST'],
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
