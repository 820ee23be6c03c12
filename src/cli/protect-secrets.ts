import { forbidCoreDumps, refuseDebugger } from '../shared/process/hardening.js';
import { swapInUse } from '../shared/process/swap.js';
import { warn, type Io } from './io.js';

/** Commands that read and make no secret. */
const NO_SECRETS: ReadonlySet<string> = new Set([
  'dev',
  'status',
  'identity pin',
  'identity show',
  'keys show',
  'state init',
  'state show',
]);
/** Commands in which a whole key passes through memory that is not locked. */
const WHOLE_KEY: ReadonlySet<string> = new Set(['init', 'keys split', 'migrate file', 'migrate tmkms']);

/** Runs before the action of a command, named as it is typed after `hekate`. Throws DEBUGGER_OPEN. */
export async function protectSecrets(command: string, io: Io): Promise<void> {
  const noDumps = forbidCoreDumps();
  if (NO_SECRETS.has(command)) return;
  await refuseDebugger();
  if (!noDumps && process.platform === 'linux')
    warn(io, 'core dumps of this process could not be turned off: see that there are none (ulimit -c 0)');
  const swap = WHOLE_KEY.has(command) ? swapInUse() : [];
  if (swap.length > 0)
    warn(
      io,
      `the whole key is in memory for a moment, and may be written to swap (${swap.join(', ')}): turn it off before`,
    );
}
