/** The other process of echo.ts: its setup comes as a message, and the port of its stream goes back as one. */
import type { VerifiedSignature } from '../../src/shared/ed25519/openssl-verify.js';
import { LinkServer } from '../../cosigner/links/link-server.js';
import { nodeConnect } from '../../sentry-link/node/node-connect.js';
import { NodeRecord } from '../../sentry-link/node/node-record.js';
import type { SignOutcome, VoteToSign } from '../../sentry-link/vote-to-sign.js';
import { must } from '../../src/shared/invariant.js';
import { NodeSession } from '../../sentry-link/node/node-session.js';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { pinOf } from '../../src/shared/transport/identity.js';
import type { EchoSetup } from './echo.js';

const POINT = toPoint(new Uint8Array(32).fill(9));
const SIGNATURE = new Uint8Array(64).fill(9) as VerifiedSignature;

process.on('disconnect', () => process.exit(0));
process.once('message', (message) => {
  const setup = message as EchoSetup;
  void Promise.all([serveStream(setup), serveNode(setup)]).then(([port]) => process.send?.(port));
});

async function serveStream({ certPem, keyPem, linkCertPem }: EchoSetup): Promise<number> {
  const server = new LinkServer({
    listen: { host: '127.0.0.1', port: 0 },
    identity: { certPem, keyPem: Buffer.from(keyPem, 'latin1') },
    links: [{ name: 'link', certPem: linkCertPem, pin: pinOf(linkCertPem) }],
    ...{ otherPeers: [], log: silentLog },
    onFault: (error) => {
      throw error;
    },
    onLink: (_link, send) => {
      return {
        start: () => send({ kind: 'cosignerHello', ...ownRelease('bench'), id: 1, chains: [] }),
        receive: (request) => {
          if (request.kind === 'heartbeat') send(heartbeatReply(request.id));
          if (request.kind !== 'signRequest') return;
          send({
            kind: 'signed',
            id: request.id,
            vote: { groupCommitment: POINT, share: toSignatureShare(POINT) },
            extension: undefined,
          });
        },
        close: () => undefined,
      };
    },
  });
  return must(await server.start(), 'loopback is there');
}

async function serveNode({ nodeAddress }: EchoSetup): Promise<void> {
  const identity = identityFromSeed(systemRandom(32));
  const connect = nodeConnect({ identity, clock: systemClock, random: systemRandom });
  const channel = await connect(parseNodeAddress(nodeAddress), new AbortController().signal);
  const record = new NodeRecord(silentLog, systemClock, {});
  const sign = async ({ signBytes }: VoteToSign): Promise<SignOutcome> => {
    const { timestamp } = signBytes.says;
    return { kind: 'signed', signature: SIGNATURE, timestamp, extensionSignature: undefined };
  };
  new NodeSession(channel, {
    ...{ record, clock: systemClock },
    chains: new Map([['echo-1', { publicKey: POINT, record, sign }]]),
  }).start();
}

function heartbeatReply(id: number): CosignerMessage {
  return {
    kind: 'heartbeatReply',
    id,
    granted: false,
    term: 0,
    holder: '',
    remainingMs: 0,
    renewedTerm: 0,
    otherLink: false,
    chains: [],
  };
}
