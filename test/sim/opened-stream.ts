import type { LinkMessage } from '../../src/shared/coordination/messages.js';

/** A cosigner's end of one stream of a link, as the wire has it. */
export interface OpenedStream {
  start(): void;
  receive(message: LinkMessage): void;
  close(): void;
}
