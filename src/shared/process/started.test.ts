import { describe, expect, it } from 'vitest';
import { Started } from './started.js';

describe('what was started', () => {
  it('is stopped once, the last first, whatever fails on the way', async () => {
    const started = new Started();
    const stopped: string[] = [];
    started.add(() => stopped.push('lock'));
    started.add(async () => {
      await Promise.resolve();
      stopped.push('port');
      throw new Error('port');
    });
    started.add(() => {
      stopped.push('socket');
      throw new Error('socket');
    });
    expect(await started.stop()).toEqual([new Error('socket'), new Error('port')]);
    expect(await started.stop()).toEqual([]);
    expect(stopped).toEqual(['socket', 'port', 'lock']);
  });

  it('is stopped at once when the start goes on after it was stopped', async () => {
    const started = new Started();
    const stopped: string[] = [];
    await started.stop();
    started.add(() => stopped.push('port'));
    started.add(() => Promise.reject(new Error('nobody hears of it')));
    expect(stopped).toEqual(['port']);
  });
});
