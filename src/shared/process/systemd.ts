import { spawn } from 'node:child_process';

/**
 * Tells systemd that the service is up (sd_notify(3), READY=1) when it asked for that by NOTIFY_SOCKET. Node has no datagram
 * unix sockets, so systemd's own tool sends it; the unit needs NotifyAccess=all. Resolves to an error text or undefined.
 */
export function notifyReady(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (!environment['NOTIFY_SOCKET']) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const tool = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`], { stdio: 'ignore', env: environment });
    tool.once('error', (error) => resolve(error.message));
    tool.once('exit', (code) => resolve(code === 0 ? undefined : `systemd-notify exited with ${code}`));
  });
}
