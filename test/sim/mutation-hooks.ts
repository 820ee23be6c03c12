import type { LoadHook } from 'node:module';
import type { TextChange } from './breaks.js';

let changes: readonly TextChange[] = [];

/** Called by node:module before anything is loaded. */
export function initialize(given: readonly TextChange[]): void {
  changes = given;
}

/** Hands out modules of production with their changes in them. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const mine = changes.filter(({ file }) => url.endsWith(`/dist/${file}.js`));
  if (mine.length === 0 || loaded.source === undefined) return loaded;
  const source = Buffer.from(loaded.source as Uint8Array | string).toString('utf8');
  return { ...loaded, source: mine.reduce(withChange, source) };
};

/** Throws unless what is to be changed is there exactly once. */
export function withChange(source: string, { file, from, to }: TextChange): string {
  const words = from.split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const parts = source.split(new RegExp(words.join('\\s+')));
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once: ${from}`);
  return parts.join(to);
}
