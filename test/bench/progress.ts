/** "41 s" or "6 min". */
export function inWords(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** After a run: how long it took, and what is left if the others take as long as those so far did on average. */
export function progressLine(what: string, secondsOfRuns: readonly number[], runs: number): string {
  const took = `${what}, ${Math.round(secondsOfRuns.at(-1) ?? 0)} s`;
  const left = runs - secondsOfRuns.length;
  if (left <= 0) return `${took}, done`;
  const average = secondsOfRuns.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, secondsOfRuns.length);
  return `${took}, about ${inWords(left * average)} left`;
}
