import { afterAll, afterEach } from 'vitest';

type Task = () => unknown;

/** What a test must undo. Tasks run in reverse order, all of them even when one fails. */
export class Cleanup {
  private tasks: Task[] = [];
  private onFailure: Task[] = [];

  add(task: Task): void {
    this.tasks.push(task);
  }

  /** Runs before the others when the test failed: prints what it takes to see why. */
  whenFailed(task: Task): void {
    this.onFailure.push(task);
  }

  async run(failed: boolean): Promise<void> {
    const tasks = [...(failed ? this.onFailure : []), ...this.tasks.reverse()];
    this.tasks = [];
    this.onFailure = [];
    const errors: unknown[] = [];
    for (const task of tasks) {
      try {
        await task();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'cleaning up failed');
  }
}

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
