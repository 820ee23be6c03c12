import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Bytes to look for. A window of a secret: a copy of half of it is a leak as well. */
export interface Needle {
  /** What it is, for the report; never its bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One place in a process's memory where a needle is. */
export interface Hit {
  readonly name: string;
  /** Bytes from one byte of the needle to the next: 2 in UTF-16, 4 and 8 where each is a number of an array. */
  readonly stride: number;
  readonly mapping: Mapping;
  readonly address: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Mapping extends Range {
  readonly path: string;
  /** Kernel's flags, proc_pid_smaps(5): `lo` is locked, `dd` is left out of core dumps. */
  readonly flags: ReadonlySet<string>;
}

export const NEEDLE_BYTES = 16;
const STRIDES = [1, 2, 4, 8] as const;
const PAGE_BYTES = 4096;
const CHUNK_BYTES = 1 << 22;
const OVERLAP_BYTES = NEEDLE_BYTES * 8;

/**
 * Looks for needles in the whole memory of another process: bytes as they are, and one each two, four or eight bytes, as
 * UTF-16 and arrays of numbers have them. The scanner holds the needles, so it must not be the process that is looked at.
 */
export function scanMemory(pid: number, needles: readonly Needle[]): Hit[] {
  const index = new NeedleIndex(needles);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const hits: Hit[] = [];
  const [memory, pagemap] = [openSync(`/proc/${pid}/mem`, 'r'), openSync(`/proc/${pid}/pagemap`, 'r')];
  try {
    for (const mapping of mappingsOf(pid))
      for (const { from, to } of usedPages(pagemap, mapping))
        for (let at = from; at < to; at += CHUNK_BYTES - OVERLAP_BYTES) {
          const length = readAt(memory, chunk, at, Math.min(CHUNK_BYTES, to - at));
          const last = at + length >= to;
          const end = last ? length : length - OVERLAP_BYTES;
          for (const stride of STRIDES)
            index.search(chunk, end, length, stride, (name, offset) =>
              hits.push({ name, stride, mapping, address: at + offset }),
            );
          if (last) break;
        }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
  }
  return hits;
}

/** Runs of pages that are in memory or in swap (proc_pid_pagemap(5), bits 63 and 62). Others are zeros. */
function usedPages(pagemap: number, { from, to }: Mapping): Range[] {
  const entries = Buffer.alloc(((to - from) / PAGE_BYTES) * 8);
  const known = readSync(pagemap, entries, 0, entries.length, (from / PAGE_BYTES) * 8);
  const runs: { from: number; to: number }[] = [];
  for (let page = 0; page * 8 < known; page++) {
    if ((entries[page * 8 + 7]! & 0xc0) === 0) continue;
    const at = from + page * PAGE_BYTES;
    const last = runs.at(-1);
    if (last?.to === at) last.to += PAGE_BYTES;
    else runs.push({ from: at, to: at + PAGE_BYTES });
  }
  return runs;
}

/** Those that have pages in memory or in swap. Pages of programs that nobody wrote to have no secret. */
function mappingsOf(pid: number): Mapping[] {
  const mappings: Mapping[] = [];
  for (const text of readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, from = '', to = '', path = ''] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ *(.*)$/m.exec(text) ?? [];
    const flags = new Set(/^VmFlags: (.*)$/m.exec(text)?.[1]?.trim().split(' '));
    const counts = path.startsWith('/') && !flags.has('sh') ? /^(?:Anonymous|Swap): +[1-9]/m : /^(?:Rss|Swap): +[1-9]/m;
    if (counts.test(text) && !path.startsWith('[v'))
      mappings.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), path, flags });
  }
  return mappings;
}

/** A page that cannot be read (a device, one that is gone meanwhile) counts as zeros. */
function readAt(memory: number, chunk: Buffer, at: number, length: number): number {
  for (let done = 0; done < length;) {
    try {
      const bytes = readSync(memory, chunk, done, length - done, at + done);
      if (bytes === 0) throw new Error('nothing there');
      done += bytes;
    } catch {
      const end = Math.min(length, done + PAGE_BYTES - ((at + done) % PAGE_BYTES));
      chunk.fill(0, done, end);
      done = end;
    }
  }
  return length;
}

/** Which needles are in bytes as they are. */
export function findNeedles(bytes: Uint8Array, needles: readonly Needle[]): Pick<Hit, 'name' | 'address'>[] {
  const hits: Pick<Hit, 'name' | 'address'>[] = [];
  new NeedleIndex(needles).search(bytes, bytes.length, bytes.length, 1, (name, address) =>
    hits.push({ name, address }),
  );
  return hits;
}

/** Needles by their first three bytes, behind a table of bits that almost every address fails at once. */
class NeedleIndex {
  readonly #bits = new Uint8Array(1 << 21);
  readonly #byPrefix = new Map<number, Needle[]>();

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.length !== NEEDLE_BYTES) throw new Error(`${needle.name} has ${needle.bytes.length} bytes`);
      const [a = 0, b = 0, c = 0] = needle.bytes;
      const prefix = a | (b << 8) | (c << 16);
      this.#bits[prefix >> 3]! |= 1 << (prefix & 7);
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), needle]);
    }
  }

  /** Calls `found` for each needle that starts before `end` and lies whole within `length`. */
  search(
    bytes: Uint8Array,
    end: number,
    length: number,
    stride: number,
    found: (name: string, offset: number) => void,
  ): void {
    const stop = Math.min(end, length - (NEEDLE_BYTES - 1) * stride);
    for (let at = 0; at < stop; at++) {
      const prefix = bytes[at]! | (bytes[at + stride]! << 8) | (bytes[at + 2 * stride]! << 16);
      if ((this.#bits[prefix >> 3]! & (1 << (prefix & 7))) === 0) continue;
      for (const { name, bytes: needle } of this.#byPrefix.get(prefix) ?? [])
        if (needle.every((byte, i) => byte === bytes[at + i * stride])) found(name, at);
    }
  }
}
