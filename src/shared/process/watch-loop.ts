import type { ChildProcess } from 'node:child_process';
import { parseToParent } from './parent-channel.js';
import { LOOK_MS, StandStill } from './stand-still.js';

/**
 * Watches a child that has an IPC channel, until it ends: once its loop has stood still for a second it is killed, for nothing
 * in a frozen process can close its connections, and a node waits for them. `onStill` is told before.
 */
export function watchLoop(child: ChildProcess, onStill: (stillMs: number) => void): void {
  const still = new StandStill(performance.now());
  child.on('message', (message) => {
    if (parseToParent(message)?.kind === 'beat') still.beat(performance.now());
  });
  const timer = setInterval(() => {
    const stillMs = still.look(performance.now());
    if (stillMs === undefined) return;
    clearInterval(timer);
    child.kill('SIGKILL');
    onStill(stillMs);
  }, LOOK_MS);
  child.once('exit', () => clearInterval(timer));
  child.once('error', () => clearInterval(timer));
}
