import type { Cosigner } from '../../cosigner/cosigner.js';
import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { VoteToSign } from '../../sentry-link/vote-to-sign.js';
import type {
  Carried,
  CosignerMessage,
  LinkMessage,
  NonceCommitment,
  SignReply,
  SignRequest,
} from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { must } from '../../src/shared/invariant.js';
import type { Cluster } from './cluster.js';
import type { SignedBlocks } from './signed-blocks.js';
import { CHAIN } from './votes.js';

/** Well above what elections in a test reach. */
const TERM = 1_000;

interface Stream {
  readonly process: Cosigner;
  readonly session: LinkSession;
  fresh: NonceCommitment[];
}

/** A link that somebody took over: it asks for what it likes, keeps what it hears, and carries what suits it. */
export class LyingLink {
  /** What it does with what one cosigner says to another one: an honest link passes it on. */
  carry: (said: Carried) => readonly Carried[] = (said) => [said];
  readonly #cluster: Cluster;
  readonly #blocks: SignedBlocks;
  readonly #name: string;
  readonly #streams = new Map<number, Stream>();
  readonly #requests = new Map<number, SignRequest>();
  readonly #replies = new Map<string, SignReply>();
  #lastId = 0;

  constructor(cluster: Cluster, blocks: SignedBlocks, name: string) {
    this.#cluster = cluster;
    this.#blocks = blocks;
    this.#name = name;
  }

  /** Opens a stream to every cosigner that runs and was not there before. */
  async meet(): Promise<void> {
    for (const { id, process } of this.#cluster.cosigners) {
      if (process === undefined || this.#streams.get(id)?.process === process) continue;
      const session = process.open(this.#name, (message) => this.#hears(id, process, message));
      this.#streams.set(id, { process, session, fresh: [] });
      session.start();
      session.receive({ kind: 'linkHello', ...ownRelease('liar'), newest: [] });
    }
    await this.#cluster.clock.pass(5);
  }

  /** Asks these of the t signers for their shares, the others not yet. What was asked, to be asked again. */
  async ask(
    signers: readonly number[],
    { signBytes }: VoteToSign,
    asked: readonly number[] = signers,
  ): Promise<SignRequest> {
    const entries = [...signers]
      .sort((a, b) => a - b)
      .map((id) => ({ id, vote: this.#nonce(id, asked.includes(id)), extension: undefined }));
    const request: SignRequest = {
      ...{ kind: 'signRequest', id: ++this.#lastId, term: TERM, chainId: CHAIN, extension: undefined, settle: true },
      ...{ groupPublicKey: this.#cluster.publicKey, signBytes: signBytes.bytes, signers: entries },
    };
    await this.send(request, asked);
    return request;
  }

  async send(request: SignRequest, to: readonly number[]): Promise<void> {
    this.#requests.set(request.id, request);
    for (const id of to) this.#say(id, request);
    await this.#cluster.clock.pass(2);
  }

  /** What this cosigner answered to the request: a code, or that it signed. */
  told(id: number, request: SignRequest): string {
    const reply = this.#replies.get(`${id} ${request.id}`);
    return reply?.kind === 'refused' ? reply.code : (reply?.kind ?? 'nothing');
  }

  say(id: number, message: LinkMessage): void {
    this.#cluster.clock.schedule(1, () => this.#say(id, message));
  }

  /** Somebody noticed: no stream of it is left. */
  close(): void {
    for (const { session } of this.#streams.values()) session.close();
    this.#streams.clear();
  }

  /** One for each request that reaches its cosigner; one that does not uses none up. */
  #nonce(id: number, uses: boolean): NonceCommitment {
    const { fresh } = must(this.#streams.get(id), 'it has met whom it asks');
    const nonce = must(fresh[0], 'a cosigner always has some');
    if (uses) fresh.shift();
    return nonce;
  }

  #say(id: number, message: LinkMessage): void {
    const stream = this.#streams.get(id);
    // A process that was killed may still be in memory here.
    if (stream?.process === this.#cluster.cosigner(id).process) stream?.session.receive(message);
  }

  #hears(id: number, process: Cosigner, message: CosignerMessage): void {
    const stream = this.#streams.get(id);
    if (stream?.process !== process || process !== this.#cluster.cosigner(id).process) return;
    switch (message.kind) {
      case 'nonceBatch':
        stream.fresh = [...(message.replaces === true ? [] : stream.fresh), ...message.commitments];
        return;
      case 'signed':
        this.#blocks.note(id, must(this.#requests.get(message.id), 'a share answers a request'), message);
        if (message.fresh !== undefined) this.#hears(id, process, message.fresh);
        this.#replies.set(`${id} ${message.id}`, message);
        return;
      case 'stored':
      case 'refused':
        this.#replies.set(`${id} ${message.id}`, message);
        return;
      case 'waitQuestion':
      case 'waitAnswer':
        for (const said of this.carry(message)) this.say(said.kind === 'waitQuestion' ? said.asked : said.asker, said);
        return;
      default:
        return;
    }
  }
}
