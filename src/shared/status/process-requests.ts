import { z } from 'zod';
import { HekateError, isHekateError } from '../errors.js';

/** One thing that a process tells or does when its operator asks; `params` are those of the request, whatever they are. */
export type ProcessRequest = (params: unknown) => Promise<object>;

/** What can be asked of a process, by name. */
export interface ProcessRequests extends Readonly<Record<string, ProcessRequest>> {
  readonly status: ProcessRequest;
}

/** A request as it is written: `{"request":"status"}`, with "params" where it takes some. */
export interface WrittenRequest {
  readonly request: string;
  readonly params?: object;
}

export type WrittenAnswer =
  | { readonly answer: object }
  | { readonly error: { readonly code: string; readonly cause: string; readonly fix: string } };

/** Of a request that takes none. */
export const NO_PARAMS = z.strictObject({});

/** A request whose params must fit a schema before `answer` sees them; none at all count as `{}`. */
export function processRequest<P>(
  schema: z.ZodType<P>,
  answer: (params: P) => object | Promise<object>,
): ProcessRequest {
  return async (params) => {
    const result = schema.safeParse(params ?? {});
    if (result.success) return answer(result.data);
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'params'}: ${message}`);
    throw new HekateError('COMMAND_INVALID', problems.join('; '));
  };
}

/**
 * The answer to one line, as one line. What is wrong with the request, or what the process says against it, is an answer too;
 * throws nothing but faults of ours.
 */
export async function answerLine(requests: ProcessRequests, line: string): Promise<string> {
  try {
    return answerText({ answer: await find(requests, line)() });
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return errorText(error);
  }
}

export function errorText({ code, message, fix }: HekateError): string {
  return answerText({ error: { code, cause: message, fix } });
}

function answerText(answer: WrittenAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

function find(requests: ProcessRequests, line: string): () => Promise<object> {
  const { request: name, params } = parse(line);
  const request = Object.hasOwn(requests, name) ? requests[name] : undefined;
  if (request !== undefined) return () => request(params);
  const known = Object.keys(requests).join(', ');
  throw new HekateError('COMMAND_UNKNOWN', `this process knows no request of that name, only: ${known}`);
}

function parse(line: string): { readonly request: string; readonly params: unknown } {
  let written: unknown;
  try {
    written = JSON.parse(line);
  } catch {
    throw new HekateError('COMMAND_INVALID', 'the line is not JSON');
  }
  if (typeof written !== 'object' || written === null || !('request' in written) || typeof written.request !== 'string')
    throw new HekateError('COMMAND_INVALID', 'the line is no JSON object with the name of a "request"');
  return { request: written.request, params: 'params' in written ? written.params : undefined };
}
