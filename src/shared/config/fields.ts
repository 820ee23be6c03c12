import { z } from 'zod';
import { MAX_COSIGNERS } from '../coordination/limits.js';
import { messageOf } from '../errors.js';
import { bech32PrefixProblem } from './bech32-prefix.js';
import { chainIdProblem } from './chain-id.js';
import { parseHostPort, whyNotToConnect, type HostPort } from './host-port.js';
import { parseNodeAddress } from './node-address.js';
import { expects } from './toml-file.js';

/** Names of sentry-links; they name files too. */
const LINK_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
/** SHA-256 of a certificate's public key, as transport/identity.ts makes it. */
const PIN = /^sha256:[0-9a-f]{64}$/;

export const text: z.ZodString = z.string({ error: expects('a string') });

/** Adds what a check finds wrong with a string. */
function checked(problem: (value: string) => string | undefined): z.ZodString {
  return text.check((context) => {
    const message = problem(context.value);
    if (message !== undefined) context.issues.push({ code: 'custom', message: `: ${message}`, input: context.value });
  });
}

export const chainId: z.ZodString = checked(chainIdProblem);

export const bech32Prefix: z.ZodString = checked(bech32PrefixProblem);

export const linkName: z.ZodString = checked((value) =>
  LINK_NAME.test(value)
    ? undefined
    : `${JSON.stringify(value)} is not 1 to 40 lower-case letters, digits and inner hyphens`,
);

export const pin: z.ZodString = checked((value) =>
  PIN.test(value) ? undefined : `${JSON.stringify(value)} is not a pin ("sha256:" and 64 hex digits)`,
);

/** Addresses of a chain's nodes, 1 to `max`, as written. */
export function nodeAddresses(max: number): z.ZodType<string[], string[]> {
  const address = checked((value) => {
    try {
      parseNodeAddress(value);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  });
  return z
    .array(address, { error: expects('an array of addresses') })
    .refine((nodes) => nodes.length >= 1 && nodes.length <= max, { error: `must have 1 to ${max} addresses` });
}

/** A path relative to the home, or absolute. */
export const path: z.ZodString = checked((value) =>
  value.length > 0 && !value.includes('\0') ? undefined : 'a path cannot be empty',
);

function hostPort(problemOf: (address: HostPort) => string | undefined): z.ZodType<HostPort, string> {
  return text.transform((value, context) => {
    const parsed = parseHostPort(value);
    const problem = typeof parsed === 'string' ? parsed : problemOf(parsed);
    if (typeof parsed !== 'string' && problem === undefined) return parsed;
    context.issues.push({ code: 'custom', message: `: ${problem}`, input: value });
    return z.NEVER;
  });
}

/** `host:port` to listen on; port 0 takes any that is free. */
export const listenAddress: z.ZodType<HostPort, string> = hostPort(() => undefined);
/** `host:port` to connect to. */
export const peerAddress: z.ZodType<HostPort, string> = hostPort(whyNotToConnect);

/** A whole number within bounds, as a number. */
export function wholeNumber(min: number, max: number): z.ZodType<number, bigint> {
  return bigWholeNumber(BigInt(min), BigInt(max)).transform(Number);
}

/** A whole number within bounds, as a bigint. */
export function bigWholeNumber(min: bigint, max: bigint): z.ZodType<bigint, bigint> {
  return z
    .bigint({ error: expects('a whole number') })
    .refine((value) => value >= min && value <= max, { error: `must be between ${min} and ${max}` });
}

/** A number within bounds, with or without a decimal point. */
export function numberBetween(min: number, max: number): z.ZodType<number, number | bigint> {
  return z
    .union([z.number(), z.bigint()], { error: expects('a number') })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `must be between ${min} and ${max}` });
}

export const cosignerId: z.ZodType<number, bigint> = wholeNumber(1, MAX_COSIGNERS);

/** `version` of our files. */
export const version: z.ZodType<bigint> = z.literal(1n, {
  error: ({ input }) => (input === undefined ? 'missing' : 'must be 1: another version of hekate wrote this file'),
});

export function oneOf<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number], string> {
  const names = values.map((value) => `"${value}"`).join(' or ');
  return z.enum(values, { error: ({ input }) => (input === undefined ? 'missing' : `must be ${names}`) });
}

/** A strict table: unknown keys are errors. */
export function table<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, { error: tableError });
}

/** `[[name]]` sections, from `min` to `max` of them. */
export function sections<T extends z.ZodType>(
  name: string,
  entry: T,
  min: number,
  max: number,
): z.ZodType<z.output<T>[]> {
  const list = z.array(entry, {
    error: ({ input }) => (input === undefined ? 'missing' : `must be [[${name}]] sections, one for each`),
  });
  return list.refine((entries) => entries.length >= min && entries.length <= max, {
    error: `has a wrong number of [[${name}]] sections: ${min} to ${max} are possible`,
  });
}

function tableError(issue: { readonly code?: string; readonly input?: unknown }): string | undefined {
  return issue.code === 'invalid_type' ? expects('a table')(issue) : undefined;
}
