/**
 * A folder whose files are gone when the host's memory is (a tmpfs): what stands there was written since the host was started.
 * The simulator and the tests have one in memory.
 */
export interface RunFolder {
  /** Absolute path of a file in it, to be named in the state. */
  pathOf(name: string): string;
  /** Opens the file, or makes an empty one, and holds it against other processes. Throws STATE_LOCKED, RUN_FOLDER_UNUSABLE. */
  open(name: string): RunFile;
}

/** A file of less than a page that is overwritten in place. All of it is done when a call returns. */
export interface RunFile {
  /** Empty where nothing was written yet. */
  read(): Uint8Array;
  write(contents: Uint8Array): void;
  /** It is not there any more, whatever became of a write. */
  remove(): void;
  close(): void;
}
