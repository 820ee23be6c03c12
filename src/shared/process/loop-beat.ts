/**
 * Calls `beat` every `periodMs` for as long as the event loop turns, and only then: a beat takes a timer, then a look at all
 * sockets and files (the poll phase), then what comes after it. So it is made by the loop that makes the beats of a lease and
 * reads requests, in the same phases, and late when those are late. Keeps no process alive. Returns how to end it.
 */
export function beatWithLoop(periodMs: number, beat: () => void): () => void {
  let timer: NodeJS.Timeout;
  let ended = false;
  const wait = (): void => {
    timer = setTimeout(() => setImmediate(turned), periodMs);
    timer.unref();
  };
  const turned = (): void => {
    if (ended) return;
    wait();
    beat();
  };
  wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
