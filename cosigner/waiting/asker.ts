import { equalBytes } from '../../src/shared/bytes.js';
import type { ChainKey } from '../../src/shared/coordination/messages.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import {
  answerBytes,
  questionBytes,
  type WaitAnswer,
  type WaitQuestion,
} from '../../src/shared/watermark/wait-messages.js';
import type { FromOthers } from '../signing/from-others.js';
import type { Forgeries } from './forgeries.js';
import type { IdentityKeys } from './identity-keys.js';

export interface WaitingChain extends ChainKey {
  readonly others: Pick<FromOthers, 'wait' | 'hear'>;
}

export interface AskerDeps {
  readonly keys: IdentityKeys;
  readonly forgeries: Forgeries;
  readonly chain: (chainId: string) => WaitingChain | undefined;
  readonly chains: () => Iterable<WaitingChain>;
}

/** What a cosigner asks the others while chains of it wait, and what it takes for an answer (docs/invariants.md, W2). */
export class Asker {
  readonly #id: number;
  readonly #deps: AskerDeps;
  /** By chain and cosigner: what is asked again is not signed again. */
  readonly #asked = new Map<string, WaitQuestion>();
  /** The same: an answer comes on every link. */
  readonly #heard = new Map<string, Uint8Array>();

  constructor(id: number, deps: AskerDeps) {
    this.#id = id;
    this.#deps = deps;
  }

  /** For every link, again and again; undefined once nothing waits any more. */
  questions(): readonly WaitQuestion[] | undefined {
    const waiting = [...this.#deps.chains()].filter(({ others }) => others.wait.waiting);
    if (waiting.length === 0) return undefined;
    return waiting.flatMap((chain) => {
      const { question, asked } = chain.others.wait.ask();
      return asked.map((other) => this.#question(chain, other, question));
    });
  }

  /** Takes an answer that `link` brought. Throws STATE_WRITE_FAILED. */
  async hear(link: string, answer: WaitAnswer): Promise<void> {
    const { chainId, groupPublicKey, asker, answerer, question, signature } = answer;
    const chain = this.#deps.chain(chainId);
    if (chain === undefined || asker !== this.#id || !equalBytes(chain.groupPublicKey, groupPublicKey)) return;
    if (!chain.others.wait.isCurrent(question) || this.#deps.forgeries.isResting(link)) return;
    const name = nameOf(chainId, answerer);
    const before = this.#heard.get(name);
    if (before !== undefined && equalBytes(before, signature)) return;
    if (!this.#deps.keys.verifies(answerer, answerBytes(answer), signature))
      return this.#deps.forgeries.note(link, `an answer of ${cosignerName(answerer)} for chain ${chainId}`);
    this.#heard.set(name, signature.slice());
    await chain.others.hear(answer);
  }

  #question({ chainId, groupPublicKey }: ChainKey, asked: number, question: Uint8Array): WaitQuestion {
    const name = nameOf(chainId, asked);
    const before = this.#asked.get(name);
    if (before !== undefined && equalBytes(before.question, question)) return before;
    const unsigned = { chainId, groupPublicKey, asker: this.#id, asked, question };
    const signature = this.#deps.keys.sign(questionBytes(unsigned));
    const signed: WaitQuestion = { kind: 'waitQuestion', ...unsigned, signature };
    this.#asked.set(name, signed);
    return signed;
  }
}

function nameOf(chainId: string, cosigner: number): string {
  return `${cosigner} ${chainId}`;
}
