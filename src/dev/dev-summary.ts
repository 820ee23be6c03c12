import { LatencySamples } from './model-node/latency-samples.js';

export interface DevSummary {
  readonly blocks: number;
  readonly signatures: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly missed: number;
}

/** Counts what a run has done. A block is a height at which a precommit for one was signed, or that the model node has made. */
export class DevTally {
  readonly #latencies = new LatencySamples();
  #height = 0n;
  #blocks = 0;
  #signatures = 0;
  #missed = 0;

  get blocks(): number {
    return this.#blocks;
  }

  signed(latencyMs: number): void {
    this.#signatures++;
    this.#latencies.add(latencyMs);
  }

  missed(): void {
    this.#missed++;
  }

  /** A height may need several rounds: it counts once. */
  block(height: bigint): void {
    if (height <= this.#height) return;
    this.#height = height;
    this.#blocks++;
  }

  summary(): DevSummary {
    const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms * 100) / 100);
    return {
      blocks: this.#blocks,
      signatures: this.#signatures,
      p50Ms: rounded(this.#latencies.quantile(0.5)),
      p99Ms: rounded(this.#latencies.quantile(0.99)),
      missed: this.#missed,
    };
  }
}

export function summaryLine({ blocks, signatures, p50Ms, p99Ms, missed }: DevSummary): string {
  const latency = p50Ms === null ? '' : `, latency p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
  return `${blocks} blocks, ${signatures} signatures, ${missed} missed${latency}`;
}
