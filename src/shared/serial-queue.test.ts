import { describe, expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.js';

/** A task that the test ends. */
function task(): { run: () => Promise<string>; end: (result: string) => void; fail: (error: Error) => void } {
  let end: (result: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<string>((resolve, reject) => {
    [end, fail] = [resolve, reject];
  });
  return { run: () => done, end, fail };
}

describe('serial queue', () => {
  it('runs tasks one after another, in order, also those that come while others end', async () => {
    const queue = new SerialQueue(10);
    const log: string[] = [];
    let running = 0;
    const one = async (name: string): Promise<void> => {
      expect(++running, 'never two at once').toBe(1);
      log.push(name);
      await Promise.resolve();
      await Promise.resolve();
      running--;
      if (name.length < 4) await Promise.resolve(void queue.run(() => one(`${name}+`)));
    };
    for (const name of ['a', 'b', 'c']) void queue.run(() => one(name));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['a', 'b', 'c', 'a+', 'b+', 'c+', 'a++', 'b++', 'c++', 'a+++', 'b+++', 'c+++']);
    expect(queue.size).toBe(0);
  });

  it('the first starts before run returns: no turn of the event loop is lost', () => {
    let started = false;
    void new SerialQueue(1).run(async () => {
      started = true;
    });
    expect(started).toBe(true);
  });

  it('a failed task fails alone', async () => {
    const queue = new SerialQueue(3);
    const [first, second] = [task(), task()];
    const answers = [queue.run(first.run), queue.run(second.run)];
    first.fail(new Error('no'));
    second.end('yes');
    await expect(answers[0]).rejects.toThrow('no');
    await expect(answers[1]).resolves.toBe('yes');
    expect(queue.size).toBe(0);
  });

  it('takes no more than its limit, and again when one is done', async () => {
    const queue = new SerialQueue(2);
    const [first, second, third] = [task(), task(), task()];
    const answer = queue.run(first.run);
    void queue.run(second.run);
    expect(queue.run(third.run)).toBeUndefined();
    first.end('done');
    await answer;
    await Promise.resolve();
    expect(queue.size).toBe(1);
    expect(queue.run(third.run)).toBeDefined();
  });

  it('a task that never ends holds the others up, and the queue stays bounded', async () => {
    const queue = new SerialQueue(3);
    let ran = 0;
    void queue.run(() => new Promise(() => undefined));
    for (let i = 0; i < 10; i++) void queue.run(async () => void ran++);
    await new Promise((resolve) => setImmediate(resolve));
    expect([ran, queue.size]).toEqual([0, 3]);
  });
});
