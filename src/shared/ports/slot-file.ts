/** A preallocated file that is only ever overwritten in place. */
export interface SlotFile {
  /**
   * Starts the write at once; resolves only when the bytes are durable (O_DSYNC); rejects if that is not certain. The
   * bytes must not change until then.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Gives the lock back. */
  close(): Promise<void>;
}
