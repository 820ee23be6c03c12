import { describe, expect, it } from 'vitest';
import type { DevEvent } from './dev-process.js';
import { DevView } from './dev-view.js';

const link = (level: string, event: string, fields: DevEvent['fields'] = {}): DevEvent => ({
  ...{ process: 'sentry-link-1', level, event, fields },
});
const LOST = link('warn', 'cosigner lost', {
  cosigner: 'cosigner-2',
  code: 'PEER_SILENT',
  reason: 'silence',
  fix: 'look',
});
const CONNECTED = link('info', 'cosigner connected', { cosigner: 'cosigner-2' });

describe('what a person sees of the log of a process', () => {
  it.each<[name: string, event: DevEvent, line: string | undefined]>([
    ['a signature', link('info', 'signed Prevote:AB at h/r/s 1/0/1 (3 ms)'), 'signed Prevote:AB at h/r/s 1/0/1 (3 ms)'],
    ['who leads', link('info', 'lease acquired', { term: 3 }), 'sentry-link-1 leads (term 3)'],
    ['a warning, with its reason and fix', LOST, 'sentry-link-1: cosigner lost; PEER_SILENT; silence; look'],
    ['a start: every cosigner is connected', CONNECTED, undefined],
    ['what is in order', link('info', 'listening'), undefined],
  ])('%s', (_name, event, line) => {
    expect(new DevView().describe(event)).toBe(line);
  });

  it('a cosigner that was lost is back: once, for the link that lost it', () => {
    const view = new DevView();
    view.describe(LOST);
    expect(view.describe({ ...CONNECTED, process: 'sentry-link-2' })).toBeUndefined();
    expect(view.describe(CONNECTED)).toBe('sentry-link-1: cosigner-2 is connected again');
    expect(view.describe(CONNECTED)).toBeUndefined();
  });
});
