import { readFileSync } from 'node:fs';

/** proc(5): times are in clock ticks, 100 a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** CPU time of a process so far, user and system, in ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the name in brackets and may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

export function sumCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
}

/** Resident memory in MB (of 10^6 bytes). */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return (Number(line?.[1] ?? 0) * 1024) / 1e6;
}

/** Time that all cores together were busy so far, in ms. */
function machineBusyMs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK;
}

/** Below this the rest of the machine did not matter. */
const WORTH_TELLING = 0.1;

/** How busy the machine was with other things than the benchmark: the figures of a loaded machine are not the code's. */
export class OtherLoad {
  readonly #pids: readonly number[];
  readonly #fromMs = performance.now();
  readonly #busyMs = machineBusyMs();
  readonly #oursMs: number;

  /** `pids`: every child that takes part. */
  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#oursMs = this.#ours();
  }

  /** Cores, on average since the start. */
  get cores(): number {
    const others = machineBusyMs() - this.#busyMs - (this.#ours() - this.#oursMs);
    return Math.max(0, others / (performance.now() - this.#fromMs));
  }

  /** For the note of a row; empty on a quiet machine. */
  get note(): string {
    const { cores } = this;
    return cores < WORTH_TELLING ? '' : `meanwhile others used ${cores.toFixed(2)} cores of this machine`;
  }

  #ours(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 + sumCpuMs(this.#pids);
  }
}
