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
