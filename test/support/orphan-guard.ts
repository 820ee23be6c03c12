import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Clears up after a test run that was itself killed: a shell that reads our children's ids, our mounts and our folders from a pipe
 * and, when the pipe ends (which it does however we end), sends SIGKILL to those still on its list, unmounts and removes.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=' '
mounts=''
folders=''
while read -r op pid; do
  case "$op" in
    add) pids="$pids$pid " ;;
    remove) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
    mount) mounts="$mounts $pid" ;;
    folder) folders="$folders $pid" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
for mount in $mounts; do umount --lazy "$mount" 2>/dev/null; done
for folder in $folders; do rm -rf "$folder"; done
`;

let guard: ChildProcess | undefined;

/** Puts a child on the list until it exits. */
export function guardAgainstOrphan(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`add ${pid}`);
  child.once('exit', () => tell(`remove ${pid}`));
}

/** Puts a process that is stopped (SIGSTOP), and so cannot end with its parent, on the list; returns how to take it off. */
export function guardAgainstStopped(pid: number): () => void {
  tell(`add ${pid}`);
  return () => tell(`remove ${pid}`);
}

/** Unmounts what is mounted there once we have ended. */
export function guardAgainstLeftMount(folder: string): void {
  tell(`mount ${withoutBlanks(folder)}`);
}

/** Removes a temporary folder once we have ended. */
export function guardAgainstLeftFolder(folder: string): void {
  tell(`folder ${withoutBlanks(folder)}`);
}

function withoutBlanks(path: string): string {
  if (/\s/.test(path)) throw new Error(`a path with blanks: ${path}`);
  return path;
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
