import { spawn } from 'node:child_process';
import { watchInForeground } from '../shared/process/watcher.js';

/** Runs the command of this process once more, as the child that this one watches; resolves with the exit code. */
export function watchThisCommand(): Promise<number> {
  const [, main = '', ...args] = process.argv;
  const at = args.indexOf('start') + 1;
  const unwatched = [main, ...args.slice(0, at), '--no-watcher', ...args.slice(at)];
  return watchInForeground(() =>
    spawn(process.execPath, [...process.execArgv, ...unwatched], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      // A session of its own: Ctrl-C reaches the watcher alone, which passes it on once.
      detached: true,
    }),
  );
}
