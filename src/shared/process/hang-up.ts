/** From now on SIGHUP ends nothing: a process that starts has no configuration yet that it could read again. */
export function ignoreHangUp(): void {
  process.on('SIGHUP', () => undefined);
}
