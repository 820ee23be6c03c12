import { Attempt } from '../../sentry-link/signing/attempt.js';
import type { CosignerConnection, CosignerHandlers } from '../../sentry-link/cosigners/cosigner-client.js';
import type {
  ChainReport,
  CosignerMessage,
  LinkMessage,
  NonceCommitment,
  SignedReply,
  SignerEntry,
  SignRequest,
} from '../../src/shared/coordination/messages.js';
import { MAX_LEASE_MS, MAX_TERM } from '../../src/shared/coordination/limits.js';
import type { Group } from '../../src/shared/frost/group.js';
import { toPoint } from '../../src/shared/frost/group.js';
import {
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type BlockId,
  type Canonical,
} from '../../src/shared/privval/canonical.js';
import { extensionSignBytes, SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { encodeLinkMessage } from '../../src/shared/transport/codec.js';
import { must } from '../../src/shared/invariant.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { answerBytes, type WaitAnswer, type WaitQuestion } from '../../src/shared/watermark/wait-messages.js';
import { signatureOf } from '../support/test-keys.js';
import type { Coverage } from './coverage.js';
import type { CheckedChain } from './checker.js';
import type { Prng } from './prng.js';
import { ProcessClock } from './process-clock.js';
import type { Clock } from '../../src/shared/ports/clock.js';

const MOST_KEPT = 64;
/** What it may ask for, each in place of what is right. */
export const SIGN_LIES = [
  ...['block', 'hash', 'nil', 'partsTotal', 'partsHash', 'later', 'earlier', 'polRound', 'lower', 'round'],
  ...['jump', 'ahead', 'chain', 'key', 'garbage', 'fewer', 'more', 'twice', 'unordered', 'point', 'foreign', 'spent'],
  ...['extension', 'noExtension', 'term', 'unsettled', 'stranger', 'flood', 'type', 'place'],
] as const;
type SignLie = (typeof SIGN_LIES)[number];
/** Burning heights takes several steps. */
const DRAWN: readonly SignLie[] = [...SIGN_LIES, 'ahead', 'ahead', 'ahead', 'ahead', 'ahead'];

export interface LyingLinkDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: Prng;
  readonly coverage: Coverage;
  /** Until its plot has come to something it does nothing that anybody would notice. */
  readonly lurks: boolean;
  readonly connect: (link: LyingLink, id: number, handlers: CosignerHandlers) => CosignerConnection;
  /** Bytes straight into the stream to a cosigner. */
  readonly sendBytes: (link: LyingLink, id: number, bytes: Uint8Array) => void;
}

/** What a lying link and the world have agreed on: that one place gets two blocks. */
export interface Plot {
  readonly chainId: string;
  /** Those of the first block. */
  readonly signers: readonly number[];
  /** Those of them that are asked for it now; the others are, once the forgetful have signed the second block. */
  readonly asked: readonly number[];
  /** Those of them that are about to forget it. */
  readonly forgetful: readonly number[];
  /** Those of the second block: the forgetful, and who never heard of the first. */
  readonly others: readonly number[];
}

interface Plotting extends Plot {
  readonly chain: CheckedChain;
  readonly second: Canonical;
  readonly withheld: readonly { readonly to: number; readonly message: SignRequest }[];
  readonly first: { readonly request: SignRequest; readonly missing: Set<number> };
  begun: boolean;
  /** The last request for the second block, and who has not given its share for it. */
  pursuit: { readonly request: SignRequest; readonly missing: Set<number> } | undefined;
}

interface Target {
  readonly id: number;
  reports: ReadonlyMap<string, ChainReport>;
  term: number;
  /** By chain; those that were used as well. */
  readonly fresh: Map<string, NonceCommitment[]>;
  readonly spent: Map<string, NonceCommitment[]>;
}

/**
 * A sentry-link that somebody took over: it has a pinned identity, sees what nodes ask for, and says to the cosigners whatever
 * it likes. What it gets from them it keeps, and uses: shares that add up are shown as signatures.
 */
export class LyingLink {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly #chains: readonly CheckedChain[];
  readonly #deps: LyingLinkDeps;
  readonly #targets: readonly Target[];
  readonly #known = new Map<string, Canonical[]>();
  readonly #proofs: Proof[] = [];
  readonly #answers: WaitAnswer[] = [];
  readonly #prey = new Set<number>();
  #plotting: Plotting | undefined;
  readonly #sent: { readonly to: number; readonly message: LinkMessage }[] = [];
  readonly #attempts = new Map<number, Attempt>();
  readonly #connections: CosignerConnection[] = [];
  readonly #everyMs: number;
  #lastId = 0;
  #lying = true;
  #lurks: boolean;

  constructor(name: string, chains: readonly CheckedChain[], cosigners: readonly number[], deps: LyingLinkDeps) {
    this.name = name;
    this.#chains = chains;
    this.#deps = deps;
    this.clock = new ProcessClock(deps.clock);
    this.#lurks = deps.lurks;
    this.#everyMs = deps.random.between(10, 120);
    this.#targets = cosigners.map((id) => ({ id, reports: new Map(), term: 0, fresh: new Map(), spent: new Map() }));
  }

  start(): void {
    for (const target of this.#targets)
      this.#connections.push(this.#deps.connect(this, target.id, this.#handlers(target)));
    for (const connection of this.#connections) connection.start();
    this.#next();
  }

  stop(): void {
    this.#lying = false;
    for (const connection of this.#connections) void connection.close();
  }

  /** A node asks for this. */
  overhears(says: Canonical): void {
    const known = this.#known.get(says.chainId);
    if (known === undefined) this.#known.set(says.chainId, [says]);
    else known.push(says);
    if ((known?.length ?? 0) > MOST_KEPT) known?.shift();
  }

  #handlers(target: Target): CosignerHandlers {
    return {
      newest: () => this.#proofs.slice(-1),
      connected: (hello) => this.#note(target, hello.chains),
      message: (message) => this.#hears(target, message),
      passedOver: () => undefined,
      disconnected: () => {
        target.fresh.clear();
        target.spent.clear();
      },
      dialFailed: () => undefined,
    };
  }

  #note(target: Target, reports: readonly ChainReport[]): void {
    target.reports = new Map(reports.map((report) => [report.chainId, report]));
  }

  #hears(target: Target, message: CosignerMessage): void {
    switch (message.kind) {
      case 'nonceBatch':
        // Those of before are void, unless the cosigner is broken: then nobody says that they are.
        if (message.replaces === true) for (const known of [target.fresh, target.spent]) known.delete(message.chainId);
        push(target.fresh, message.chainId, message.commitments);
        return;
      case 'heartbeatReply':
        this.#note(target, message.chains);
        // No term that it makes of this is too large for the wire.
        target.term = Math.min(message.term, MAX_TERM - 2);
        return;
      case 'signed':
        if (message.fresh !== undefined) push(target.fresh, message.fresh.chainId, message.fresh.commitments);
        this.#caught(target.id, message);
        return this.#adds(target.id, message);
      case 'waitQuestion':
        return this.#carriesQuestion(message);
      case 'waitAnswer':
        return this.#carriesAnswer(message);
      default:
        return;
    }
  }

  /** Or answers it itself, in the name of who is asked. */
  #carriesQuestion(question: WaitQuestion): void {
    const { random, coverage } = this.#deps;
    const { chainId, groupPublicKey, asker, asked } = question;
    this.#overtakes(question);
    const roll = random.unit();
    if (!this.#prey.has(asker)) {
      if (roll < 0.4) return this.#say(asked, question);
      if (roll < 0.6) return;
    } else if (roll < 0.3) this.#say(asked, question);
    coverage.note('lying link: forges an answer');
    const place = { height: 0n, round: 0, step: 0 };
    const forged = {
      chainId,
      groupPublicKey,
      asker,
      answerer: asked,
      question: question.question,
      place,
      waiting: false,
    };
    const other = 1 + random.below(9);
    const signature =
      random.chance(0.5) || other === asked ? random.bytes(32) : signatureOf(other, answerBytes(forged));
    this.#say(asker, { kind: 'waitAnswer', ...forged, signature });
  }

  #carriesAnswer(answer: WaitAnswer): void {
    this.#answers.push(answer);
    if (this.#answers.length > MOST_KEPT) this.#answers.shift();
    if (this.#prey.has(answer.asker) || this.#deps.random.chance(0.6)) this.#say(answer.asker, answer);
  }

  /** Old answers to who asks now, as they were or as answers to the new question. */
  #overtakes({ asker, asked, question }: WaitQuestion): void {
    const { random, coverage } = this.#deps;
    const old = this.#answers.filter((one) => one.asker === asker && one.answerer === asked);
    if (old.length === 0 || (!this.#prey.has(asker) && random.chance(0.3))) return;
    coverage.note('lying link: an old answer');
    const answer = random.pick(old);
    this.#say(asker, random.chance(0.5) ? answer : { ...answer, question });
  }

  /** Shares that add up are a signature, and it shows it around. */
  #adds(id: number, reply: SignedReply): void {
    const attempt = this.#attempts.get(reply.id);
    const chain = this.#chains.find(({ chainId }) => chainId === attempt?.request.chainId);
    if (attempt === undefined || chain === undefined || !attempt.isWaitingFor(id)) return;
    if (new Set(attempt.request.signers.map((signer) => signer.id)).size < attempt.request.signers.length) return;
    if (!attempt.add(id, reply)) return;
    const result = attempt.finish(this.#deps.group, chain.key);
    if (result.kind !== 'complete') return;
    const { signBytes, signature } = result.signed;
    this.#deps.coverage.note('lying link: has a signature');
    this.learns({ chainId: chain.chainId, groupPublicKey: chain.key.publicKey, signBytes: signBytes.bytes, signature });
    this.overhears(signBytes.says);
  }

  /** These have forgotten something: whatever they ask is answered by this link, as soon as may be. */
  scents(cosigners: readonly number[]): void {
    for (const id of cosigners) this.#prey.add(id);
  }

  /** Asks for a vote that some are about to forget, far above where the chain is. False: it cannot. */
  plots(plot: Plot): boolean {
    const { random } = this.#deps;
    const chain = must(
      this.#chains.find(({ chainId }) => chainId === plot.chainId),
      'a plot is about a chain that there is',
    );
    const base = this.#base(chain);
    const heights = this.#targets.map(({ reports }) => reports.get(plot.chainId)?.height ?? 0n);
    if (base === undefined || heights.includes(0n)) return false;
    const top = heights.reduce((max, height) => (height > max ? height : max));
    const { chainId, timestamp } = base;
    const block = (): BlockId => ({ hash: random.bytes(32), partsTotal: 1, partsHash: random.bytes(32) });
    const place = { chainId, timestamp, height: top + BigInt(5 + random.below(25)), round: 0 };
    const vote = (): Canonical => ({ ...place, step: STEP_PRECOMMIT, blockId: block() });
    const entries = plot.signers.map((id) => this.#entry(chain, id));
    if (!entries.every((entry) => entry !== undefined)) return false;
    const request = this.#request(chain, vote(), entries);
    this.#attempts.set(request.id, new Attempt(request, SignBytes.parse(request.signBytes), undefined));
    const withheld = plot.signers.filter((id) => !plot.asked.includes(id)).map((to) => ({ to, message: request }));
    const first = { request, missing: new Set(plot.asked) };
    this.#plotting = { ...plot, chain, second: vote(), withheld, first, begun: false, pursuit: undefined };
    for (const id of plot.asked) this.#say(id, request);
    return true;
  }

  /** Whether all have signed what they are about to forget. From now on they are asked for the second block. */
  pursues(): boolean {
    const plotting = this.#plotting;
    if (plotting === undefined || plotting.first.missing.size > 0) return false;
    this.#deps.coverage.note(`lying link: plots, with a ${plotting.withheld.length === 0 ? 'signature' : 'share'}`);
    plotting.begun = true;
    this.#lurks = false;
    this.scents(plotting.forgetful);
    return true;
  }

  /** What it has in mind has failed. */
  givesUp(): void {
    this.#plotting = undefined;
  }

  /** Asks the forgetful, and nobody else before they have signed: whoever signs remembers. */
  #pursues(plotting: Plotting): void {
    const { chain, second, forgetful, others, pursuit } = plotting;
    const old = new Map(pursuit?.request.signers.map((signer) => [signer.id, signer]));
    const entries = others.map((id) => {
      const known = forgetful.includes(id) ? undefined : old.get(id);
      return known !== undefined && this.#isFresh(chain, known) ? known : this.#entry(chain, id);
    });
    if (!entries.every((entry) => entry !== undefined)) return;
    const request = this.#request(chain, second, entries);
    plotting.pursuit = { request, missing: new Set(forgetful) };
    for (const id of forgetful) this.#say(id, request);
  }

  /** The forgetful have signed the second block: now the others are asked for it, and those that were left out for the first. */
  #caught(id: number, reply: SignedReply): void {
    const plotting = this.#plotting;
    if (plotting?.first.request.id === reply.id) plotting.first.missing.delete(id);
    if (plotting?.pursuit?.request.id !== reply.id) return;
    const { request, missing } = plotting.pursuit;
    if (!missing.delete(id) || missing.size > 0) return;
    this.#deps.coverage.note('lying link: the forgetful sign again');
    for (const other of plotting.others) if (!plotting.forgetful.includes(other)) this.#say(other, request);
    for (const { to, message } of plotting.withheld) this.#say(to, message);
  }

  #entry(chain: CheckedChain, id: number): SignerEntry | undefined {
    const target = must(
      this.#targets.find((one) => one.id === id),
      'every cosigner is a target',
    );
    const vote = this.#take(chain, target, new Set());
    return vote && { id, vote, extension: undefined };
  }

  /** Not void since it was taken. */
  #isFresh({ chainId }: CheckedChain, { id, vote }: SignerEntry): boolean {
    return (
      this.#targets
        .find((one) => one.id === id)
        ?.spent.get(chainId)
        ?.includes(vote) === true
    );
  }

  #request(chain: CheckedChain, says: Canonical, signers: readonly SignerEntry[]): SignRequest {
    const { chainId, key } = chain;
    return {
      ...{ kind: 'signRequest', id: ++this.#lastId, term: Math.max(...this.#targets.map((one) => one.term)) + 1 },
      ...{ chainId, groupPublicKey: key.publicKey, signBytes: SignBytes.encode(says).bytes },
      ...{ extension: undefined, settle: true, signers },
    };
  }

  /** A signature is known. */
  learns(proof: Proof): void {
    this.#proofs.push(proof);
    if (this.#proofs.length > MOST_KEPT) this.#proofs.shift();
  }

  #next(): void {
    this.#deps.clock.schedule(this.#everyMs * this.#deps.random.between(0.1, 2), () => {
      if (!this.#lying) return;
      this.#act();
      this.#next();
    });
  }

  #act(): void {
    const { random, coverage } = this.#deps;
    if (this.#lurks) return this.#asksForLease();
    if (this.#plotting?.begun === true && random.chance(0.7)) return this.#pursues(this.#plotting);
    const target = random.pick(this.#targets);
    const roll = random.unit();
    if (roll < 0.25) return this.#asksForLease();
    if (roll < 0.3) {
      coverage.note('lying link: gives back a lease');
      return this.#say(target.id, { kind: 'leaseRelease', term: target.term + random.below(3) });
    }
    if (roll < 0.38) return this.#shows(target);
    if (roll < 0.45 && this.#sent.length > 0) {
      coverage.note('lying link: replay');
      const old = random.pick(this.#sent);
      return this.#deps.sendBytes(this, random.chance(0.7) ? old.to : target.id, encodeLinkMessage(old.message));
    }
    if (roll < 0.46) {
      coverage.note('lying link: no message');
      return this.#deps.sendBytes(this, target.id, random.bytes(random.below(200)));
    }
    this.#asks();
  }

  #asksForLease(): void {
    const { random, coverage } = this.#deps;
    coverage.note('lying link: asks for the lease');
    const top = Math.max(...this.#targets.map(({ term }) => term));
    const far = random.below(random.pick([1_000, 1_000_000, MAX_TERM]));
    const term = Math.min(random.pick([top, top + 1, top + 1, top + 1, top + far, far]), MAX_TERM);
    const lease = { term, leaseMs: random.chance(0.8) ? MAX_LEASE_MS : 1, renewal: random.chance(0.5) };
    for (const { id } of this.#targets)
      if (random.chance(0.8)) this.#say(id, { kind: 'heartbeat', id: ++this.#lastId, lease });
  }

  /** Signatures, what looks like some, and those of others. */
  #shows(target: Target): void {
    const { random, coverage } = this.#deps;
    const chain = random.pick(this.#chains);
    const says = this.#base(chain);
    if (random.chance(0.6) && this.#proofs.length > 0) {
      coverage.note('lying link: shows a signature');
      return this.#say(target.id, { kind: 'proof', proof: random.pick(this.#proofs) });
    }
    if (says === undefined) return;
    coverage.note('lying link: shows what is none');
    const signBytes = SignBytes.encode({ ...says, height: says.height + BigInt(random.below(1_000)) }).bytes;
    const forged: Proof = {
      chainId: chain.chainId,
      groupPublicKey: chain.key.publicKey,
      signBytes: random.chance(0.8) ? signBytes : random.bytes(60),
      signature: random.bytes(64),
    };
    const other = random.pick(this.#chains);
    const lie = random.chance(0.7) ? forged : { ...forged, chainId: other.chainId, signBytes: random.bytes(20) };
    this.#say(target.id, { kind: 'proof', proof: lie });
  }

  /** Where a chain stands, as far as it knows. */
  #base(chain: CheckedChain): Canonical | undefined {
    const known = this.#known.get(chain.chainId) ?? [];
    if (known.length === 0) return undefined;
    return this.#deps.random.chance(0.7) ? known[known.length - 1] : this.#deps.random.pick(known);
  }

  #asks(): void {
    const { random, coverage } = this.#deps;
    const chain = random.pick(this.#chains);
    const base = this.#base(chain);
    if (base === undefined) return;
    const lies = new Set<SignLie>();
    for (let left = random.pick([0, 1, 1, 1, 1, 2]); left > 0; left--) lies.add(random.pick(DRAWN));
    for (const lie of lies) coverage.note(`lying link: asks, ${lie}`);
    const says = this.#twisted(base, lies, chain);
    const signers = this.#signers(chain, lies, says);
    if (signers === undefined) return;
    let signBytes: Uint8Array;
    try {
      signBytes = lies.has('garbage') ? random.bytes(1 + random.below(200)) : SignBytes.encode(says).bytes;
    } catch {
      return;
    }
    const other = random.pick(this.#chains);
    const named = lies.has('stranger') ? { ...chain, chainId: 'no-such-chain' } : chain;
    const term = Math.max(...this.#targets.map((one) => one.term)) + random.pick([0, 1]);
    const wantsExtension = signers.some(({ extension }) => extension !== undefined);
    const request: SignRequest = {
      kind: 'signRequest',
      id: random.chance(0.05) && this.#lastId > 0 ? this.#lastId : ++this.#lastId,
      term: lies.has('term') ? random.below(term + 1) : term,
      chainId: named.chainId,
      groupPublicKey: lies.has('key') ? other.key.publicKey : chain.key.publicKey,
      signBytes,
      extension: wantsExtension ? random.bytes(random.below(20)) : undefined,
      settle: !lies.has('unsettled'),
      signers,
    };
    this.#remember(request, says, lies);
    const times = lies.has('flood') ? 40 : 1;
    const few = random.chance(0.25);
    for (const id of new Set(signers.map((signer) => signer.id))) {
      if (few && random.chance(0.5)) continue;
      for (let i = 0; i < times; i++)
        this.#say(id, i === 0 ? request : { ...request, signers: this.#anew(chain, signers) });
    }
  }

  #remember(request: SignRequest, says: Canonical, lies: ReadonlySet<SignLie>): void {
    if (lies.has('garbage')) return;
    this.overhears(says);
    try {
      const signBytes = SignBytes.parse(request.signBytes);
      const { chainId, height, round } = signBytes.says;
      const { extension } = request;
      const bytes = extension && extensionSignBytes({ chainId, height, round, extension });
      this.#attempts.set(request.id, new Attempt(request, signBytes, bytes));
    } catch {
      // Nothing will come of it.
    }
  }

  #twisted(base: Canonical, lies: ReadonlySet<SignLie>, chain: CheckedChain): Canonical {
    const random = this.#deps.random;
    let says = base;
    const block = (): BlockId => {
      const hash = random.bytes(32);
      return { hash, partsTotal: 1 + random.below(4), partsHash: random.bytes(32) };
    };
    const known = says.blockId ?? block();
    const { seconds, nanos } = says.timestamp;
    if (lies.has('block')) says = { ...says, blockId: block() };
    if (lies.has('hash')) says = { ...says, blockId: { ...known, hash: random.bytes(32) } };
    if (lies.has('nil')) says = { ...says, blockId: undefined };
    if (lies.has('partsTotal')) says = { ...says, blockId: { ...known, partsTotal: known.partsTotal + 1 } };
    if (lies.has('partsHash')) says = { ...says, blockId: { ...known, partsHash: random.bytes(32) } };
    if (lies.has('later')) says = { ...says, timestamp: { seconds: seconds + BigInt(1 + random.below(100)), nanos } };
    if (lies.has('earlier')) says = { ...says, timestamp: { seconds: seconds - 1n, nanos } };
    if (lies.has('polRound') && says.step === STEP_PROPOSAL) says = { ...says, polRound: says.polRound + 1n };
    if (lies.has('lower') && says.height > 1n) says = { ...says, height: says.height - 1n };
    if (lies.has('round')) says = { ...says, round: Math.max(0, says.round + random.pick([1, -1])) };
    if (lies.has('ahead')) says = { ...says, height: says.height + BigInt(random.pick([1 + random.below(900), 900])) };
    if (lies.has('chain')) says = { ...says, chainId: random.pick(this.#chains).chainId };
    if (lies.has('type')) says = retyped(says, random);
    if (lies.has('place')) says = { ...says, ...this.#reportedPlace(chain) };
    // A cosigner that never signed takes any first height, and would be lost to the cluster for as long.
    const signedAll = this.#targets.every(({ reports }) => (reports.get(chain.chainId)?.step ?? 0) !== 0);
    if (lies.has('jump') && signedAll) says = { ...says, height: says.height + chain.maxHeightJump + 1n };
    return says;
  }

  /** Exactly where some cosigner says that it is. */
  #reportedPlace({ chainId }: CheckedChain): Partial<Pick<Canonical, 'height' | 'round'>> {
    const report = this.#deps.random.pick(this.#targets).reports.get(chainId);
    return report === undefined || report.height < 1n ? {} : { height: report.height, round: report.round };
  }

  #signers(chain: CheckedChain, lies: ReadonlySet<SignLie>, says: Canonical): readonly SignerEntry[] | undefined {
    const random = this.#deps.random;
    const extended =
      lies.has('extension') ||
      (!lies.has('noExtension') && says.step === STEP_PRECOMMIT && says.blockId !== undefined && random.chance(0.5));
    const shuffled = this.#targets.map((target) => ({ target, at: random.unit() })).sort((a, b) => a.at - b.at);
    const wanted = chain.threshold + (lies.has('more') ? 1 : lies.has('fewer') ? -1 : 0);
    const chosen = shuffled.slice(0, Math.max(1, wanted)).map(({ target }) => target);
    if (!lies.has('unordered')) chosen.sort((a, b) => a.id - b.id);
    if (lies.has('twice')) chosen.push(chosen[0]!);
    const entries: SignerEntry[] = [];
    for (const target of chosen) {
      const [vote, extension] = [
        this.#take(chain, target, lies),
        extended ? this.#take(chain, target, lies) : undefined,
      ];
      if (vote === undefined || (extended && extension === undefined)) return undefined;
      entries.push({ id: target.id, vote, extension });
    }
    return entries;
  }

  #take(chain: CheckedChain, target: Target, lies: ReadonlySet<SignLie>): NonceCommitment | undefined {
    const random = this.#deps.random;
    const spent = target.spent.get(chain.chainId) ?? [];
    if (lies.has('spent') && spent.length > 0) return random.pick(spent);
    const taken = target.fresh.get(chain.chainId)?.shift();
    if (taken === undefined) return undefined;
    push(target.spent, chain.chainId, [taken]);
    if (lies.has('point') && random.chance(0.5)) {
      const identity = toPoint(Uint8Array.of(1, ...new Uint8Array(31)));
      return { ...taken, binding: random.chance(0.5) ? identity : toPoint(random.bytes(32)) };
    }
    if (lies.has('foreign') && random.chance(0.5)) return { ...taken, hiding: taken.binding, binding: taken.hiding };
    return taken;
  }

  /** The same signers with other nonces, where there are some. */
  #anew(chain: CheckedChain, signers: readonly SignerEntry[]): readonly SignerEntry[] {
    const none = new Set<SignLie>();
    return signers.map((signer) => {
      const target = this.#targets.find(({ id }) => id === signer.id)!;
      return { ...signer, vote: this.#take(chain, target, none) ?? signer.vote };
    });
  }

  #say(to: number, message: LinkMessage): void {
    this.#sent.push({ to, message });
    if (this.#sent.length > MOST_KEPT) this.#sent.shift();
    this.#deps.sendBytes(this, to, encodeLinkMessage(message));
  }
}

function push(to: Map<string, NonceCommitment[]>, chainId: string, commitments: readonly NonceCommitment[]): void {
  const known = to.get(chainId);
  if (known === undefined) to.set(chainId, [...commitments]);
  else known.push(...commitments);
}

function retyped(says: Canonical, random: Prng): Canonical {
  const { chainId, height, round, blockId, timestamp } = says;
  const common = { chainId, height, round, blockId, timestamp };
  const step = random.pick([STEP_PROPOSAL, STEP_PREVOTE, STEP_PRECOMMIT] as const);
  return step === STEP_PROPOSAL ? { ...common, step, polRound: -1n } : { ...common, step };
}
