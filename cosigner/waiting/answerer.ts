import { equalBytes } from '../../src/shared/bytes.js';
import type { ChainKey } from '../../src/shared/coordination/messages.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import {
  answerBytes,
  questionBytes,
  type WaitAnswer,
  type WaitQuestion,
} from '../../src/shared/watermark/wait-messages.js';
import type { FromOthers } from '../signing/from-others.js';
import type { Forgeries } from './forgeries.js';
import type { IdentityKeys } from './identity-keys.js';

/** Every answer voids what was issued before: so often at most for each link, asker and chain, in a question's first minute … */
const ANSWER_EVERY_MS = 1_000;
/** … and after it. */
const PATIENT_AFTER_MS = 60_000;
const ANSWER_SELDOM_MS = 10_000;

export interface AskedChain extends ChainKey {
  readonly others: Pick<FromOthers, 'fence'>;
}

export interface AnswererDeps {
  readonly keys: IdentityKeys;
  readonly forgeries: Forgeries;
  readonly clock: Clock;
  readonly chain: (chainId: string) => AskedChain | undefined;
}

interface Answered {
  readonly link: string;
  readonly asked: WaitQuestion;
  readonly sinceMs: number;
  readonly atMs: number;
  /** Another link that brings the same question soon gets the same answer. */
  readonly answer: Promise<WaitAnswer | undefined>;
}

/** Where this cosigner stands, for others that wait (docs/invariants.md, W2 and W3). */
export class Answerer {
  readonly #id: number;
  readonly #deps: AnswererDeps;
  /** By chain and asker: one of each link, for a link that brings old questions again must not hold up the others. */
  readonly #answered = new Map<string, readonly Answered[]>();

  constructor(id: number, deps: AnswererDeps) {
    this.#id = id;
    this.#deps = deps;
  }

  /** Undefined: not now, or not to this. */
  async answer(link: string, question: WaitQuestion): Promise<WaitAnswer | undefined> {
    const { chainId, groupPublicKey, asker, asked } = question;
    const { chain: chainOf, clock, keys, forgeries } = this.#deps;
    const chain = chainOf(chainId);
    if (chain === undefined || !equalBytes(chain.groupPublicKey, groupPublicKey)) return undefined;
    if (asked !== this.#id || forgeries.isResting(link)) return undefined;
    const nowMs = clock.nowMs();
    const name = `${asker} ${chainId}`;
    const before = this.#answered.get(name) ?? [];
    const same = before.find(({ asked }) => equalBytes(asked.signature, question.signature));
    const last = same ?? before.find((answered) => answered.link === link);
    if (last !== undefined) {
      const isOld = same !== undefined && nowMs - same.sinceMs >= PATIENT_AFTER_MS;
      if (nowMs - last.atMs < (isOld ? ANSWER_SELDOM_MS : ANSWER_EVERY_MS)) return same?.answer;
    }
    if (!keys.verifies(asker, questionBytes(question), question.signature)) {
      forgeries.note(link, `a question of ${cosignerName(asker)} for chain ${chainId}`);
      return undefined;
    }
    const answer = this.#stand(chain, question);
    const others = before.filter((answered) => answered !== same && answered.link !== link);
    const answered = { link, asked: question, sinceMs: same?.sinceMs ?? nowMs, atMs: nowMs, answer };
    this.#answered.set(name, [...others, answered]);
    return answer;
  }

  async #stand({ others }: AskedChain, asked: WaitQuestion): Promise<WaitAnswer | undefined> {
    const standpoint = await others.fence();
    if (standpoint === undefined) return undefined;
    const { chainId, groupPublicKey, asker, question } = asked;
    const unsigned = { chainId, groupPublicKey, asker, answerer: this.#id, question, ...standpoint };
    return { kind: 'waitAnswer', ...unsigned, signature: this.#deps.keys.sign(answerBytes(unsigned)) };
  }
}
