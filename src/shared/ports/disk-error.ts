export type DiskErrorCode =
  /** Another process, or this one, holds the file open. */
  | 'ELOCKED'
  /** The file may be read or written by others than its owner. */
  | 'EMODE'
  /** Fewer bytes were written than asked. */
  | 'ESHORT'
  /** Not a plain file, or far too large for one of ours. */
  | 'EUNFIT';

export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The `code` of a disk failure, whoever made it. */
export function diskErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
