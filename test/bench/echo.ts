import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CosignerClient } from '../../sentry-link/cosigners/cosigner-client.js';
import type { Outgoing } from '../../sentry-link/cosigners/peer-stream.js';
import type { NonceCommitment, SignRequest } from '../../src/shared/coordination/messages.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { pinOf } from '../../src/shared/transport/identity.js';
import { makeIdentity } from '../../src/setup/identity/make-identity.js';
import { guardAgainstOrphan } from '../support/orphan-guard.js';
import { NodeSide } from './node-side.js';
import { Ballots } from './voter.js';

const PROGRAM = fileURLToPath(new URL('./echo-main.js', import.meta.url));

/** What the other process needs: its own identity, and whom to expect and to dial. */
export interface EchoSetup {
  readonly certPem: string;
  readonly keyPem: string;
  readonly linkCertPem: string;
  readonly nodeAddress: string;
}

export interface Echo {
  overStream(): Promise<void>;
  overPrivval(): Promise<void>;
  stop(): Promise<void>;
}

/** Another process that answers at once, over the production stream and over a production node session. */
export async function startEcho(): Promise<Echo> {
  const [ours, theirs] = [await makeIdentity('link'), await makeIdentity('cosigner')];
  const node = await NodeSide.listen();
  const setup: EchoSetup = {
    certPem: theirs.certPem,
    keyPem: theirs.keyPem.toString('latin1'),
    linkCertPem: ours.certPem,
    nodeAddress: node.address,
  };
  const child = fork(PROGRAM);
  guardAgainstOrphan(child);
  child.send(setup);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(message as number));
    child.once('exit', () => reject(new Error('the echo process ended')));
  });
  let answered = (): void => undefined;
  const peer = { name: 'cosigner', certPem: theirs.certPem, pin: pinOf(theirs.certPem) };
  let connected: (outgoing: Outgoing) => void = () => undefined;
  const open = new Promise<Outgoing>((resolve) => (connected = resolve));
  const client = new CosignerClient(
    {
      ...{ address: { host: '127.0.0.1', port }, identity: ours, peer, otherPeers: [], version: 'bench' },
      ...{ clock: systemClock, log: silentLog, random: systemRandom },
    },
    {
      ...{ newest: () => [], disconnected: () => undefined, dialFailed: () => undefined },
      passedOver: () => undefined,
      connected: (_hello, outgoing) => connected(outgoing),
      message: ({ kind }) => {
        if (kind === 'signed') answered();
      },
    },
  );
  client.start();
  const outgoing = await open;
  await node.connected();
  // Each side takes a silent peer for a lost one.
  const keepAlive = setInterval(() => outgoing.send({ kind: 'heartbeat', id: 1, lease: undefined }), 200);
  const ballots = new Ballots('echo-1');
  let id = 0;
  return {
    overStream: () =>
      new Promise((resolve) => {
        answered = resolve;
        outgoing.send(signRequest(++id, SignBytes.encode(ballots.next().canonical).bytes));
      }),
    overPrivval: async () => void (await node.ask(ballots.next().request)),
    stop: async () => {
      clearInterval(keepAlive);
      await client.close();
      await node.close();
      child.kill('SIGKILL');
    },
  };
}

function signRequest(id: number, signBytes: Uint8Array): SignRequest {
  const point = toPoint(new Uint8Array(32).fill(7));
  const vote: NonceCommitment = { nonceId: id, hiding: point, binding: point };
  const signers = [1, 2].map((signer) => ({ id: signer, vote, extension: undefined }));
  const rest = { extension: undefined, settle: false, signers };
  return { kind: 'signRequest', id, term: 1, chainId: 'echo-1', groupPublicKey: point, signBytes, ...rest };
}
