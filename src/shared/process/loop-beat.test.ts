import { expect, it, vi } from 'vitest';
import { beatWithLoop } from './loop-beat.js';

it('beats while the loop turns, not while it stands still, and no more once it was ended', async () => {
  let beats = 0;
  const end = beatWithLoop(5, () => beats++);
  await vi.waitFor(() => expect(beats).toBeGreaterThan(3), 10_000);
  const before = beats;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  expect(beats).toBe(before);
  await vi.waitFor(() => expect(beats).toBeGreaterThan(before), 10_000);
  end();
  const last = beats;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(beats).toBe(last);
});
