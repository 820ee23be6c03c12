import type { TomlTable } from 'smol-toml';
import { z } from 'zod';
import * as field from '../../../shared/config/fields.js';
import { duplicates, rawSections } from '../../../shared/config/common-sections.js';
import { parseNodeAddress } from '../../../shared/config/node-address.js';
import { expects, parseConfig, type ConfigIssue } from '../../../shared/config/toml-file.js';
import { HekateError, isHekateError, messageOf } from '../../../shared/errors.js';
import { SOFTSIGN_FORMATS, type SoftsignFormat } from './softsign-key.js';

/** Providers whose keys stay where they are. */
const HARDWARE = ['yubihsm', 'ledgertm', 'fortanixdsm'] as const;
export type Hardware = (typeof HARDWARE)[number];

export interface TmkmsConfig {
  readonly chains: readonly TmkmsChain[];
  readonly validators: readonly TmkmsValidator[];
  readonly softsign: readonly SoftsignKey[];
  /** Chains whose consensus key is in a device, with its kind. */
  readonly hardware: ReadonlyMap<string, Hardware>;
  /** There are `[[tx_signer]]` sections, of a release before 0.13. */
  readonly signsTransactions: boolean;
}

export interface TmkmsChain {
  readonly id: string;
  /** As written, or where TMKMS has it otherwise. */
  readonly stateFile: string;
  readonly consensusKeyPrefix: string | undefined;
  readonly hasHook: boolean;
  readonly signsExtensions: boolean;
}

export interface TmkmsValidator {
  readonly chainId: string;
  readonly address: string;
  readonly secretKey: string | undefined;
  readonly maxHeight: string | undefined;
}

export interface SoftsignKey {
  readonly chainIds: readonly string[];
  readonly type: 'consensus' | 'account';
  readonly format: SoftsignFormat;
  readonly path: string;
}

const address = field.text.check((context) => {
  try {
    parseNodeAddress(context.value);
  } catch (error) {
    context.issues.push({ code: 'custom', message: `: ${messageOf(error)}`, input: context.value });
  }
});
const yesOrNo = z.boolean({ error: expects('true or false') });
const chainIds = z.array(field.chainId, { error: expects('an array of chain ids') });
const keyType = field.oneOf(['consensus', 'account']).default('consensus');
const anyTable = z.looseObject({}, { error: expects('a table') });
const anyTables = z.array(anyTable, { error: expects('sections') });

/** As tmkms src/config/*.rs: unknown keys are errors there too. Sections of devices are read only for the chains that they name. */
const schema = field.table({
  chain: z
    .array(
      field.table({
        id: field.chainId,
        key_format: z.looseObject({ consensus_key_prefix: field.text.optional() }, { error: expects('a table') }),
        sign_extensions: yesOrNo.default(false),
        state_file: field.path.optional(),
        state_hook: anyTable.optional(),
      }),
      { error: expects('[[chain]] sections') },
    )
    .default([]),
  providers: field.table({
    softsign: z
      .array(
        field.table({
          chain_ids: chainIds,
          key_type: keyType,
          key_format: field.oneOf(SOFTSIGN_FORMATS).default('base64'),
          path: field.path,
        }),
        { error: expects('[[providers.softsign]] sections') },
      )
      .default([]),
    yubihsm: anyTables.optional(),
    ledgertm: anyTables.optional(),
    fortanixdsm: anyTables.optional(),
  }),
  validator: z
    .array(
      field.table({
        addr: address,
        chain_id: field.chainId,
        reconnect: yesOrNo.optional(),
        timeout: z.bigint({ error: expects('a whole number') }).optional(),
        secret_key: field.path.optional(),
        max_height: field.text.optional(),
        protocol_version: field.text.optional(),
      }),
      { error: expects('[[validator]] sections') },
    )
    .default([]),
  tx_signer: anyTables.optional(),
});

/** A tmkms.toml, of 0.12 to 0.15. Throws OLD_CONFIG_INVALID with line and column. */
export async function parseTmkmsConfig(file: string, text: string): Promise<TmkmsConfig> {
  const toml = await parseConfig(file, { written: text, added: '' }, schema, crossChecks).catch(asOldConfig);
  return {
    chains: toml.chain.map((chain) => ({
      id: chain.id,
      stateFile: chain.state_file ?? `./${chain.id}_priv_validator_state.json`,
      consensusKeyPrefix: chain.key_format.consensus_key_prefix,
      hasHook: chain.state_hook !== undefined,
      signsExtensions: chain.sign_extensions,
    })),
    validators: toml.validator.map((validator) => ({
      chainId: validator.chain_id,
      address: validator.addr,
      secretKey: validator.secret_key,
      maxHeight: validator.max_height,
    })),
    softsign: toml.providers.softsign.map((key) => ({
      chainIds: key.chain_ids,
      type: key.key_type,
      format: key.key_format,
      path: key.path,
    })),
    hardware: hardwareOf(toml.providers),
    signsTransactions: toml.tx_signer !== undefined,
  };
}

function asOldConfig(error: unknown): never {
  if (!isHekateError(error) || error.code !== 'CONFIG_INVALID') throw error;
  throw new HekateError('OLD_CONFIG_INVALID', error.message, { cause: error });
}

function crossChecks(toml: TomlTable): readonly ConfigIssue[] {
  const known = new Set(rawSections(toml, 'chain').map(({ entry }) => entry['id']));
  const unknown = rawSections(toml, 'validator').flatMap(({ index, entry }) => {
    const id = entry['chain_id'];
    if (typeof id !== 'string' || known.has(id)) return [];
    return [
      { path: ['validator', index, 'chain_id'], problem: `no [[chain]] section has the id ${JSON.stringify(id)}` },
    ];
  });
  return [...duplicates(toml, 'chain', 'id', 'chain'), ...unknown];
}

function hardwareOf(providers: z.output<typeof schema>['providers']): ReadonlyMap<string, Hardware> {
  const found = new Map<string, Hardware>();
  for (const kind of HARDWARE)
    for (const section of providers[kind] ?? []) for (const id of consensusChains(section)) found.set(id, kind);
  return found;
}

/** `chain_ids` of the section, or of each of its keys that is not an account's. */
function consensusChains(section: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = [section, ...asTables(section['keys']), ...asTables(section['signing_keys'])];
  return keys
    .filter((key) => key['type'] !== 'account')
    .flatMap((key) => (Array.isArray(key['chain_ids']) ? (key['chain_ids'] as readonly unknown[]) : []))
    .filter((id): id is string => typeof id === 'string');
}

function asTables(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry) => typeof entry === 'object' && entry !== null) as Readonly<Record<string, unknown>>[];
}
