/** What is meant for the process that was started: its children would share its debug port, its heap's limit, its READY=1. */
const NOT_INHERITED = ['NODE_OPTIONS', 'NODE_ENV', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/** The environment of a process of the local cluster: what one would have that an operator starts. */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !NOT_INHERITED.includes(name) && !name.startsWith('npm_')),
  );
}
