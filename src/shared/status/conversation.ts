import type { Socket } from 'node:net';
import { HekateError } from '../errors.js';
import { answerLine, errorText, type ProcessRequests } from './process-requests.js';

/** Enough for any request; what is longer is not kept. */
export const MAX_REQUEST_BYTES = 4_096;
/** An older `hekate status` says nothing and waits to be told; it gives up after 2 s. */
const SILENCE_MS = 500;
/** For the next whole line to come, the answer to the last one taken. */
const LINE_MS = 5_000;
const NEWLINE = 10;

/**
 * One client of the socket of a home: a JSON request a line, a JSON answer a line, one after the other. A client that says
 * nothing is told the status, without an envelope, as the first releases did.
 */
export class Conversation {
  readonly #socket: Socket;
  readonly #requests: ProcessRequests;
  #line = Buffer.alloc(0);
  /** The line was too long, which was answered; its rest is to be passed over. */
  #skipping = false;
  #heard = false;
  /** It said nothing, and was told: what still comes is not asked for any more. */
  #told = false;
  #tasks = Promise.resolve();
  #timer: NodeJS.Timeout;

  constructor(socket: Socket, requests: ProcessRequests) {
    this.#socket = socket;
    this.#requests = requests;
    this.#timer = setTimeout(() => void this.#tellStatus(), SILENCE_MS);
    this.#timer.unref();
  }

  start(): void {
    const socket = this.#socket;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearTimeout(this.#timer));
    socket.on('data', (bytes: Buffer) => {
      if (this.#told) return;
      if (!this.#heard) this.#awaitLine();
      this.#heard = true;
      // Nothing more is read before this is answered.
      socket.pause();
      this.#next(() => this.#take(bytes).then(() => void socket.resume()));
    });
    // Comes also while nothing is read.
    socket.on('end', () => this.#next(() => this.#ended()));
  }

  #next(task: () => Promise<void>): void {
    this.#tasks = this.#tasks.then(task);
  }

  async #take(bytes: Buffer): Promise<void> {
    let rest = bytes;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      await this.#lineEnds(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    await this.#keep(rest);
  }

  async #lineEnds(bytes: Buffer): Promise<void> {
    await this.#keep(bytes);
    const line = this.#line.toString('utf8');
    const skipped = this.#skipping;
    this.#line = Buffer.alloc(0);
    this.#skipping = false;
    if (skipped || this.#socket.destroyed) return;
    clearTimeout(this.#timer);
    const answer = await answerLine(this.#requests, line);
    this.#awaitLine();
    await this.#write(answer);
  }

  async #keep(bytes: Buffer): Promise<void> {
    if (this.#skipping) return;
    this.#line = Buffer.concat([this.#line, bytes]);
    if (this.#line.length <= MAX_REQUEST_BYTES) return;
    this.#line = Buffer.alloc(0);
    this.#skipping = true;
    const problem = `the line is longer than ${MAX_REQUEST_BYTES} bytes`;
    await this.#write(errorText(new HekateError('COMMAND_INVALID', problem)));
  }

  async #ended(): Promise<void> {
    if (this.#told) return;
    if (!this.#heard) return this.#tellStatus();
    // Whoever closes its side may have left the end of the last line out.
    if (this.#line.length > 0) await this.#lineEnds(Buffer.alloc(0));
    this.#socket.end();
  }

  async #tellStatus(): Promise<void> {
    this.#told = true;
    this.#awaitLine();
    this.#socket.end(JSON.stringify(await this.#requests.status({})));
  }

  /** Resolves when it has left, or never will. */
  #write(text: string): Promise<void> {
    return new Promise((resolve) => void this.#socket.write(text, () => resolve()));
  }

  /** Whoever is too slow, with its line or in taking what it was told, makes room for others. */
  #awaitLine(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), LINE_MS);
    this.#timer.unref();
  }
}
