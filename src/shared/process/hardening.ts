import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { HekateError } from '../errors.js';

/**
 * Invariant 8, no secret leaves: a core dump of this process, and of those that it starts, carries no memory (core(5),
 * coredump_filter). That holds for a handler that dumps are piped to as well, which a limit of 0 bytes does not stop.
 * Returns whether it is so; where the kernel has no such file there is nothing to do here.
 */
export function forbidCoreDumps(): boolean {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
    return true;
  } catch {
    return false;
  }
}

/** From now on SIGUSR1 does nothing; without a listener Node opens its debugger port. */
export function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => undefined);
}

/** Throws DEBUGGER_OPEN when somebody could look into this process through Node's debugger port. */
export async function refuseDebugger(): Promise<void> {
  // A signal that came before `ignoreDebuggerSignal` has its effect first.
  await new Promise((resolve) => setImmediate(resolve));
  if (!process.features.inspector) return;
  const { url } = createRequire(import.meta.url)('node:inspector') as { url: () => string | undefined };
  const open = url();
  if (open !== undefined)
    throw new HekateError('DEBUGGER_OPEN', `this process has a debugger port (${new URL(open).host})`);
}
