import { z } from 'zod';
import type { ConfigIssue } from '../../../shared/config/config-problems.js';
import { expects } from '../../../shared/config/config-problems.js';
import { chainId, path, text } from '../../../shared/config/fields.js';
import { parseNodeAddress } from '../../../shared/config/node-address.js';
import { isHekateError, messageOf } from '../../../shared/errors.js';
import { list, mapping, parseYaml } from '../yaml-file.js';

/** What a kms.yaml of cosmos/kms 0.1 says (config/config.go). Paths are as written, relative to the home. */
export interface KmsConfig {
  readonly chains: readonly { readonly id: string; readonly stateFile: string }[];
  readonly validators: readonly KmsValidator[];
  readonly keys: readonly KmsKey[];
  /** It serves raw signatures over gRPC as well. */
  readonly servesGrpc: boolean;
}

export interface KmsValidator {
  readonly chainId: string;
  /** `tcp://host:port`, `host:port`, `unix:///path`, or `noise://ID@host:port`. */
  readonly address: string;
  readonly identityKey: string;
  readonly reconnects: boolean;
}

export interface KmsKey {
  readonly chainIds: readonly string[];
  readonly backend: Backend;
  /** Undefined: not said, which releases before 0.1.0 took for ed25519. */
  readonly algorithm: string | undefined;
  readonly keyFile: string | undefined;
}

const BACKENDS = ['file', 'pkcs11', 'awskms'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Texts that look like numbers, as a PIN may, are none to Go. */
const anyText = z.union([z.string(), z.bigint(), z.number(), z.boolean()], { error: expects('a string') });
const yesOrNo = z.boolean({ error: expects('true or false') });
const address = text.check((context) => {
  try {
    parseNodeAddress(context.value);
  } catch (error) {
    if (isNoise(context.value) && isHekateError(error) && error.code === 'NODE_ADDRESS_UNSUPPORTED') return;
    context.issues.push({ code: 'custom', message: `: ${messageOf(error)}`, input: context.value });
  }
});
const keyFields = {
  backend: z.enum(BACKENDS, { error: 'must be file, pkcs11 or awskms' }).default('file'),
  algorithm: text.optional(),
  key_id: anyText.optional(),
  key_file: path.optional(),
  ...{ module: anyText.optional(), token_label: anyText.optional(), slot: anyText.optional() },
  ...{ key_label: anyText.optional(), pin: anyText.optional(), pin_env: anyText.optional() },
  ...{ pin_file: anyText.optional(), region: anyText.optional(), profile: anyText.optional() },
  endpoint: anyText.optional(),
};

const schema = mapping({
  chains: list(mapping({ id: chainId, state_file: path.optional() })),
  validators: list(mapping({ chain_id: chainId, addr: address, identity_key: path, reconnect: yesOrNo.default(true) })),
  keys: list(mapping({ chain_ids: list(chainId), ...keyFields })),
  grpc: mapping({
    listen: anyText,
    tls_cert: anyText.optional(),
    tls_key: anyText.optional(),
    keys: list(mapping({ id: anyText, ...keyFields })),
  }).optional(),
});
type Yaml = z.output<typeof schema>;

/** Throws OLD_CONFIG_INVALID with line and column. */
export function parseKmsConfig(file: string, yaml: string): KmsConfig {
  const config = parseYaml(file, yaml, schema, crossChecks);
  return {
    chains: config.chains.map(({ id, state_file: stateFile }) => ({ id, stateFile: stateFile ?? usualStateFile(id) })),
    validators: config.validators.map((validator) => ({
      ...{ chainId: validator.chain_id, address: validator.addr },
      ...{ identityKey: validator.identity_key, reconnects: validator.reconnect },
    })),
    keys: config.keys.map((key) => ({
      ...{ chainIds: key.chain_ids, backend: key.backend, algorithm: key.algorithm, keyFile: key.key_file },
    })),
    servesGrpc: config.grpc !== undefined,
  };
}

/** A dialect of nodes from CometBFT 0.40 on, which hekate does not speak. */
export function isNoise(nodeAddress: string): boolean {
  return nodeAddress.startsWith('noise://');
}

function usualStateFile(id: string): string {
  return `state/${id}.json`;
}

function crossChecks({ chains, validators, keys }: Yaml): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const stateFiles = new Map<string, string>();
  for (const [i, { id, state_file: stateFile = usualStateFile(id) }] of chains.entries()) {
    if (chains.findIndex((chain) => chain.id === id) < i)
      issues.push({ path: ['chains', i, 'id'], problem: `chain ${JSON.stringify(id)} is there twice` });
    const other = stateFiles.get(stateFile);
    if (other !== undefined && other !== id)
      issues.push({
        path: ['chains', i, 'state_file'],
        problem: `chain ${id} has the state file of chain ${other}: what each has signed cannot be told`,
      });
    stateFiles.set(stateFile, id);
  }
  const known = new Set(chains.map(({ id }) => id));
  const strangers: readonly (readonly [ConfigIssue['path'], string])[] = [
    ...validators.map(({ chain_id: id }, i) => [['validators', i, 'chain_id'], id] as const),
    ...keys.flatMap(({ chain_ids: ids }, i) => ids.map((id, j) => [['keys', i, 'chain_ids', j], id] as const)),
  ];
  for (const [at, id] of strangers)
    if (!known.has(id)) issues.push({ path: at, problem: `no entry of "chains" has the id ${JSON.stringify(id)}` });
  return issues;
}
