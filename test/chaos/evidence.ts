import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvent } from '../support/log-events.js';
import { hekate } from '../support/cli-run.js';
import type { HekateCluster, HekateProcess } from '../support/hekate-cluster.js';
import { readSignBytes, readSignedEvent, type SignatureBook } from './signature-book.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Puts into the book what the processes themselves show: the `signed …` lines of the links, the newest signature that each of
 * them keeps, and what `hekate state export` says that each cosigner has stored.
 */
export class Evidence {
  private readonly logs: readonly LogTail[];
  private looking: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly cluster: HekateCluster,
    private readonly chainId: string,
    private readonly book: SignatureBook,
  ) {
    this.logs = cluster.links.map(({ logFile }) => new LogTail(logFile));
  }

  /** Once a second from now on. */
  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  stop(): Promise<void> {
    clearInterval(this.timer);
    return this.looking;
  }

  look(): Promise<void> {
    this.looking = this.looking.then(() => this.lookOnce());
    return this.looking;
  }

  private async lookOnce(): Promise<void> {
    this.cluster.links.forEach((link, i) => {
      for (const line of this.logs[i]?.lines() ?? []) this.signedLine(link, line);
      this.proof(link);
    });
    for (const cosigner of this.cluster.cosigners) await this.state(cosigner);
  }

  private signedLine(link: HekateProcess, line: string): void {
    const event = parseEvent(line);
    if (event === undefined) return;
    const signed = readSignedEvent(event.event, String(event['chain']));
    if (signed !== undefined) this.book.signature(`log of ${link.name}`, signed.place, signed.block);
  }

  private proof({ home, name }: HekateProcess): void {
    const text = readIfThere(join(home, 'chains', this.chainId, 'newest-signature.json'));
    if (text === undefined) return;
    const { signBytes } = JSON.parse(text) as { readonly signBytes: string };
    const { place, block } = readSignBytes(Buffer.from(signBytes, 'base64'));
    this.book.signature(`proof of ${name}`, place, block);
  }

  /** One that cannot be read just now, between two writes or on a disk that is away, shows nothing. */
  private async state({ home, name }: HekateProcess): Promise<void> {
    const { code, out } = await hekate('state', 'export', home, '--chain-id', this.chainId);
    if (code !== 0) return;
    const { signBytes } = JSON.parse(out) as { readonly signBytes: string };
    if (signBytes === '') return;
    const { place, block } = readSignBytes(Buffer.from(signBytes, 'base64'));
    this.book.storedBy(name, place, block);
  }
}

/** What was added to a file since the last time; one that got shorter is read from its beginning. */
class LogTail {
  private at = 0;
  private rest = '';

  constructor(private readonly path: string) {}

  lines(): readonly string[] {
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.at) [this.at, this.rest] = [0, ''];
    if (size === this.at) return [];
    const bytes = Buffer.alloc(size - this.at);
    const file = openSync(this.path, 'r');
    try {
      this.at += readSync(file, bytes, 0, bytes.length, this.at);
    } finally {
      closeSync(file);
    }
    const lines = (this.rest + bytes.toString()).split('\n');
    this.rest = lines.pop() ?? '';
    return lines;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
