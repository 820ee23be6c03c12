const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a task that must not be left half done: signals that would end the process wait until it is over. */
export async function whileUninterrupted<T>(task: () => Promise<T>): Promise<T> {
  const wait = (): void => undefined;
  for (const signal of SIGNALS) process.on(signal, wait);
  try {
    return await task();
  } finally {
    for (const signal of SIGNALS) process.off(signal, wait);
  }
}
