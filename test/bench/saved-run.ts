import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '../../src/shared/errors.js';

/** What is not a number (a rate of nothing, say) is null in JSON; such a row must not cost the others. */
const figure = z.number().nullable();

/** As much of `--json` as a comparison needs; whatever else a build says is kept. */
const RUN = z.object({
  machine: z.looseObject({
    node: z.string(),
    cores: z.number(),
    cpu: z.string(),
    memoryGb: z.number(),
    platform: z.string(),
    disk: z.string(),
    load: z.number(),
  }),
  results: z.array(z.looseObject({ name: z.string(), unit: z.string(), n: z.number(), p50: figure, p99: figure })),
});

/** One run of the benchmark, as `--json` prints it. */
export type SavedRun = z.infer<typeof RUN>;
export type SavedRow = SavedRun['results'][number];

/** Hundred times of what a run prints. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The run that a text is, or that is its last line with anything in it; or in words why there is none. */
export function parseRun(text: string): SavedRun | string {
  const lastLine = text.trimEnd().split('\n').at(-1) ?? '';
  const value = jsonOf(text) ?? jsonOf(lastLine);
  if (value === undefined) return 'neither the whole of it nor its last line is JSON';
  const parsed = RUN.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `it is JSON but no run of the benchmark: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

/** The same of a file. */
export function readRun(path: string): SavedRun | string {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return 'it is no file';
    if (stats.size > MAX_BYTES) return `it has ${stats.size} bytes, and a run has no more than ${MAX_BYTES}`;
    return parseRun(readFileSync(path, 'utf8'));
  } catch (error) {
    return messageOf(error);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
