import { rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readSmallText } from './read-small-text.js';

const INTENT = z.strictObject({
  chainId: z.string(),
  node: z.string(),
  model: z.boolean(),
  keyGiven: z.boolean(),
  /** Of the cosigners. */
  ports: z.array(z.number()).min(1),
});

/** What a folder is being made for: its plan, before there is a key. */
export type DevIntent = Readonly<z.infer<typeof INTENT>>;

/** Beside the folder, from before it is made until its plan is in it. */
function intentPath(dir: string): string {
  return `${dir}.making.json`;
}

export async function writeIntent(dir: string, intent: DevIntent): Promise<void> {
  await writeFile(intentPath(dir), JSON.stringify(intent));
}

/** Undefined when there is none, or one that was cut short: then nothing was made after it. */
export async function readIntent(dir: string): Promise<DevIntent | undefined> {
  const text = await readSmallText(intentPath(dir));
  try {
    return INTENT.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

export async function forgetIntent(dir: string): Promise<void> {
  await rm(intentPath(dir), { force: true });
}
