import { isDeepStrictEqual } from 'node:util';
import type { LogConfig } from '../config/log-config.js';
import { isHekateError, messageOf } from '../errors.js';
import type { ProcessLog } from '../ports/pino-log.js';

export interface Reloadable {
  readonly log: LogConfig;
}

export interface ReloadOptions<C extends Reloadable> {
  readonly log: ProcessLog;
  /** Reads the configuration anew. */
  readonly load: () => Promise<C>;
  /** What the process runs with. */
  readonly running: C;
  /** Of the command line, which goes over the configuration. */
  readonly overrides?: Partial<LogConfig> | undefined;
}

/**
 * What SIGHUP does: the log level is taken from the configuration as it is now; what else was changed there is said to need a
 * restart. A configuration that cannot be used changes nothing, and is told with what is wrong with it.
 */
export function reloader<C extends Reloadable>({
  log,
  load,
  running,
  overrides,
}: ReloadOptions<C>): () => Promise<void> {
  return async () => {
    let config: C;
    try {
      config = await load();
    } catch (error) {
      const { code, fix } = isHekateError(error) ? error : { code: 'INTERNAL', fix: undefined };
      log.error('configuration not read again: everything stays as it is', { code, reason: messageOf(error), fix });
      return;
    }
    const level = overrides?.level ?? config.log.level;
    const before = log.level;
    // Said where either of both levels lets it be seen.
    if (before === 'debug' || before === 'info') log.info('configuration read again', { logLevel: level, before });
    log.setLevel(level);
    if (before !== 'debug' && before !== 'info') log.info('configuration read again', { logLevel: level, before });
    if (!isDeepStrictEqual(restOf(config), restOf(running)))
      log.warn('the configuration was changed beside the log level: that counts from the next start on');
  };
}

/** All values but the level; what is computed is no value. */
function restOf(config: Reloadable): unknown {
  const entries = Object.entries(config).filter(([, value]) => typeof value !== 'function');
  return { ...Object.fromEntries(entries), log: { format: config.log.format } };
}
