import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is not undefined. An error counts as "not yet" and is told when time is up. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 50,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    let last = '';
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > until) throw new Error(`not within ${timeoutMs} ms: ${what}${last}`);
    await delay(everyMs);
  }
}
