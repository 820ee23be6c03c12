import { isHekateError, messageOf } from '../src/shared/errors.js';
import { proofFile } from '../src/shared/home/paths.js';
import { loadProofFile, writeProofFile } from '../src/shared/home/proof-file.js';
import type { Log } from '../src/shared/ports/log.js';
import type { Proof } from '../src/shared/watermark/proof.js';
import type { StateBinding } from '../src/shared/watermark/slot-record.js';
import type { ProofKeeper } from './signing/newest-signature.js';

/** The newest signature of each chain in a file of its own in the home of a link. */
export class ProofFiles implements ProofKeeper {
  readonly #home: string;
  readonly #log: Log;
  readonly #loaded = new Map<string, Proof>();
  readonly #writing = new Map<string, Promise<void>>();
  #told = false;

  private constructor(home: string, log: Log) {
    this.#home = home;
    this.#log = log;
  }

  /** What cannot be believed is told, and counts as none. */
  static async open(home: string, chains: readonly StateBinding[], log: Log): Promise<ProofFiles> {
    const files = new ProofFiles(home, log);
    for (const binding of chains) {
      try {
        const proof = await loadProofFile(proofFile(home, binding.chainId), binding);
        if (proof !== undefined) files.#loaded.set(binding.chainId, proof);
      } catch (error) {
        if (!isHekateError(error)) throw error;
        const { code, message: reason, fix } = error;
        log.warn('newest signature not known', { code, chain: binding.chainId, reason, fix });
      }
    }
    return files;
  }

  load(chainId: string): Proof | undefined {
    return this.#loaded.get(chainId);
  }

  /** One write of a chain after the other. */
  save(proof: Proof): void {
    const { chainId } = proof;
    const path = proofFile(this.#home, chainId);
    const before = this.#writing.get(chainId) ?? Promise.resolve();
    const write = before.then(() => writeProofFile(path, proof)).catch((error: unknown) => this.#tell(path, error));
    this.#writing.set(chainId, write);
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #tell(file: string, error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.#log.warn('newest signature not kept', { file, reason: messageOf(error) });
  }
}
