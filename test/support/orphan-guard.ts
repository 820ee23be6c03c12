import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Kills the children of a test run that was itself killed: a shell that reads our children's ids from a pipe and, when
 * the pipe ends (which it does however we end), sends SIGKILL to those still on its list.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=' '
while read -r op pid; do
  if [ "$op" = add ]; then pids="$pids$pid "; else pids="\${pids%% $pid *} \${pids#* $pid }"; fi
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
`;

let guard: ChildProcess | undefined;

/** Puts a child on the list until it exits. */
export function guardAgainstOrphan(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`add ${pid}`);
  child.once('exit', () => tell(`remove ${pid}`));
}

function tell(line: string): void {
  guard ??= startGuard();
  guard.stdin?.write(`${line}\n`);
}

function startGuard(): ChildProcess {
  const shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  // The pipe must not keep this process alive either.
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return shell;
}
