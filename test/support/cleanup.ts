import { afterAll, afterEach } from 'vitest';
import { Cleanup } from './cleanup-tasks.js';

export { Cleanup } from './cleanup-tasks.js';

/** A cleanup that runs after each test of the file that calls this at its top. */
export function cleanupAfterEach(): Cleanup {
  const cleanup = new Cleanup();
  afterEach((context) => cleanup.run(context.task.result?.state === 'fail'));
  return cleanup;
}

/** The same after all tests of the file, for what they share. */
export function cleanupAfterAll(): Cleanup {
  const cleanup = new Cleanup();
  afterAll((suite) => cleanup.run(suite.tasks.some(hasFailed)));
  return cleanup;
}

interface TaskLike {
  readonly result?: { readonly state: string } | undefined;
  readonly tasks?: readonly TaskLike[];
}

function hasFailed(task: TaskLike): boolean {
  return task.result?.state === 'fail' || (task.tasks ?? []).some(hasFailed);
}
