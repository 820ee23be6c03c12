import type { LogFields } from './log.js';

const DAY_MS = 86_400_000;
const LEVEL_WIDTH = 5;
const BARE = /^[^\s"'=\p{C}]+$/u;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** `HH:MM:SS.mmm info  event key=value …` in UTC, with its line end. Values with spaces or quotes are in JSON quotes. */
export function humanLine(wallMs: number, level: string, event: string, fields: LogFields): string {
  let line = `${timeOfDay(wallMs)} ${level.padEnd(LEVEL_WIDTH)} ${event.replace(UNPRINTABLE, '?')}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    line += ` ${key}=${BARE.test(text) ? text : JSON.stringify(text.replace(UNPRINTABLE, '?'))}`;
  }
  return `${line}\n`;
}

const RESERVED: ReadonlySet<string> = new Set(['time', 'level', 'event']);

/** As JSON can have them: it has no bigint, and a field must not take the place of the line's own. */
export function plainFields(fields: LogFields): Record<string, string | number | boolean> {
  const entries = Object.entries(fields).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [[RESERVED.has(key) ? `${key}_` : key, typeof value === 'bigint' ? String(value) : value] as const];
  });
  return Object.fromEntries(entries);
}

/** The same line for collectors, as pinoLog writes it, for a process that is too small to have that. */
export function jsonLine(wallMs: number, level: string, event: string, fields: LogFields): string {
  // eslint-disable-next-line no-restricted-syntax -- the stamp of a line, as pino makes it
  return `${JSON.stringify({ level, time: new Date(wallMs).toISOString(), ...plainFields(fields), event })}\n`;
}

function timeOfDay(wallMs: number): string {
  const ms = ((Math.floor(wallMs) % DAY_MS) + DAY_MS) % DAY_MS;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60].map(two).join(':');
  return `${clock}.${String(ms % 1_000).padStart(3, '0')}`;
}
