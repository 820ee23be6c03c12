import { z } from 'zod';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';

/** What a node says of its chain. Nothing of it is proven: whoever answers may lie, so all of it is bounded and checked for its form. */
export interface ChainRpc {
  /** For messages. */
  readonly url: string;
  status(): Promise<RpcStatus>;
  /** Undefined: the node does not have that height. */
  commit(height: bigint): Promise<RpcCommit | undefined>;
  validators(): Promise<RpcValidators>;
}

export interface RpcStatus {
  readonly network: string;
  readonly height: bigint;
  readonly catchingUp: boolean;
}

export interface RpcCommit {
  readonly chainId: string;
  readonly height: bigint;
  /** Of the block, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Addresses whose signature is in it, for the block or for nil; upper-case hex. */
  readonly signers: ReadonlySet<string>;
}

export interface RpcValidators {
  /** Voting power by address, upper-case hex. */
  readonly powers: ReadonlyMap<string, bigint>;
}

/** One answer of at most `maxBytes`, or an error after `timeoutMs`. Redirects are errors. */
export type Get = (url: string, limits: { readonly maxBytes: number; readonly timeoutMs: number }) => Promise<string>;

const TIMEOUT_MS = 5_000;
/** A commit has about 300 bytes for each validator. */
const MAX_BYTES = 4 * 1024 * 1024;
/** CometBFT's largest page (rpc/core/pipe.go). */
const PER_PAGE = 100;
const MAX_PAGES = 20;
/** A commit without a vote of this validator. */
const FLAG_ABSENT = 1;

const height = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt);
const address = z
  .string()
  .regex(/^[0-9a-fA-F]{40}$/)
  .transform((text) => text.toUpperCase());
const chainId = z.string().min(1).max(64);
const time = z
  .string()
  .max(40)
  .transform((text) => Date.parse(text))
  .refine((timeMs) => Number.isFinite(timeMs));

const statusSchema = z.object({
  node_info: z.object({ network: chainId }),
  sync_info: z.object({ latest_block_height: height, catching_up: z.boolean() }),
});
const commitSchema = z.object({
  signed_header: z.object({
    header: z.object({ chain_id: chainId, height, time }),
    commit: z.object({
      height,
      signatures: z.array(
        z.object({ block_id_flag: z.int().min(1).max(3), validator_address: z.union([address, z.literal('')]) }),
      ),
    }),
  }),
});
const validatorsSchema = z.object({
  validators: z.array(z.object({ address, voting_power: height })).max(PER_PAGE),
  total: height,
});

/** The RPC of a CometBFT or Tendermint node, 0.34 to 1.0, at an http:// or https:// address. Throws USAGE. */
export function connectRpc(url: string, get: Get = httpGet): ChainRpc {
  const base = checkedUrl(url);
  const result = async (path: string): Promise<unknown> =>
    resultOf(url, await reach(url, () => get(`${base}/${path}`, { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS })));
  const ask = async <S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> =>
    parse(url, await result(path), schema);
  return {
    url,
    status: async () => {
      const { node_info: node, sync_info: sync } = await ask('status', statusSchema);
      return { network: node.network, height: sync.latest_block_height, catchingUp: sync.catching_up };
    },
    commit: async (at) => {
      const answer = await result(`commit?height=${at}`);
      if (answer === undefined) return undefined;
      const { header, commit } = parse(url, answer, commitSchema).signed_header;
      if (header.height !== at || commit.height !== at)
        throw invalid(url, `it was asked for height ${at} and answered with ${header.height} and ${commit.height}`);
      const signers = commit.signatures
        .filter(({ block_id_flag: flag }) => flag !== FLAG_ABSENT)
        .map(({ validator_address: signer }) => signer);
      return { chainId: header.chain_id, height: at, timeMs: header.time, signers: new Set(signers) };
    },
    validators: async () => {
      const powers = new Map<string, bigint>();
      for (let page = 1; page <= MAX_PAGES; page++) {
        const { validators, total } = await ask(`validators?page=${page}&per_page=${PER_PAGE}`, validatorsSchema);
        for (const { address: of, voting_power: power } of validators) powers.set(of, power);
        if (validators.length === 0 || BigInt(powers.size) >= total) return { powers };
      }
      throw invalid(url, `it has more than ${MAX_PAGES * PER_PAGE} validators`);
    },
  };
}

function checkedUrl(url: string): string {
  const usage = (problem: string): HekateError =>
    new HekateError('USAGE', `${JSON.stringify(url.slice(0, 200))} is not the RPC of a node: ${problem}`, {
      fix: 'write it as http://host:26657 or https://host',
    });
  // As nodes have it in their configuration.
  const parsed = URL.parse(url.replace(/^tcp:\/\//, 'http://'));
  if (parsed === null) throw usage('it is no URL');
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw usage(`it is ${parsed.protocol}`);
  if (parsed.username !== '' || parsed.password !== '') throw usage('it has a password in it, which others could see');
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
}

async function reach(url: string, get: () => Promise<string>): Promise<string> {
  try {
    return await get();
  } catch (error) {
    if (isHekateError(error)) throw error;
    throw new HekateError('RPC_UNREACHABLE', `${url} did not answer: ${reasonOf(error)}`, { cause: error });
  }
}

/** What undici wraps in "fetch failed". */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(inner);
}

const envelope = z.union([z.object({ error: z.object({}) }), z.object({ result: z.object({}).loose() })]);

/** Undefined: the node says that it has none. */
function resultOf(url: string, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(url, 'its answer is not JSON');
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw invalid(url, 'its answer has neither a result nor an error');
  return 'result' in parsed.data ? parsed.data.result : undefined;
}

function parse<S extends z.ZodType>(url: string, result: unknown, schema: S): z.output<S> {
  if (result === undefined) throw invalid(url, 'it answers with an error');
  const parsed = schema.safeParse(result);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw invalid(url, `its answer is not that of a CometBFT node, at ${JSON.stringify(path.slice(0, 80))}`);
}

function invalid(url: string, problem: string): HekateError {
  return new HekateError('RPC_INVALID', `${url}: ${problem}`);
}

/** The real one. */
export const httpGet: Get = async (url, { maxBytes, timeoutMs }) => {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  // A JSON-RPC error comes with status 500, and its text says more than that.
  if (response.body === null) throw new Error(`HTTP status ${response.status}`);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maxBytes) throw invalid(url, `its answer has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  if (length === 0) throw new Error(`HTTP status ${response.status}, and no answer`);
  return Buffer.concat(parts).toString('utf8');
};
