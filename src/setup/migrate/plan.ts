import { toHex } from '../../shared/bytes.js';
import { isLoopback } from '../../shared/config/host-port.js';
import { nodeKey, parseNodeAddress } from '../../shared/config/node-address.js';
import { HekateError, isHekateError } from '../../shared/errors.js';
import { addressOf } from '../../shared/keys/formats.js';
import type { Watermark } from '../../shared/watermark/watermark.js';
import { chooseMigrationStart, type AskedStart, type MigrationStart } from './migration-start.js';
import type { AnyKey, AnyOldChain, AnyOldSigner } from './old-signer.js';
import { judgeStopped, type Evidence } from './stopped.js';

/** What an operator asks for beside what the old signer says. */
export interface Asked extends AskedStart {
  /** Instead of the nodes that the old signer names, as node-address.ts writes them. */
  readonly nodes: readonly string[] | undefined;
  /** Addresses of validators, upper-case hex: the key of each chain must be of one of them. */
  readonly validators: readonly string[];
  readonly stoppedByWord: boolean;
  /** Nothing is written of sentry-links, which dial them. */
  readonly withoutNodes?: boolean;
  readonly nowSecond: number;
}

export interface PlannedChain {
  readonly chainId: string;
  readonly key: AnyKey;
  readonly keyFrom: string;
  /** Of the validator, upper-case hex. */
  readonly address: string;
  readonly nodes: readonly string[];
  readonly bech32Prefix: string | undefined;
  readonly stateFile: string | undefined;
  /** What the old signer signed last, by its state file. */
  readonly lastSigned: Watermark | undefined;
  /** Undefined: nothing says where. */
  readonly start: MigrationStart | undefined;
  readonly notes: readonly string[];
}

/** What was found, what follows from it, and what stands against it. */
export interface MigrationPlan {
  readonly name: string;
  readonly chains: readonly PlannedChain[];
  readonly notes: readonly string[];
  readonly proofs: readonly string[];
  readonly unproven: readonly string[];
  /** None: it can go on. */
  readonly refusals: readonly HekateError[];
}

export function planMigration(old: AnyOldSigner, evidence: Evidence, asked: Asked): MigrationPlan {
  const { proofs, unproven, refusals } = judgeStopped(old, evidence, asked.stoppedByWord);
  const problems: HekateError[] = [...refusals, ...evidence.problems];
  const attempt = <T>(task: () => T): T | undefined => {
    try {
      return task();
    } catch (error) {
      if (!isHekateError(error)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  if (asked.nodes !== undefined && old.chains.length > 1)
    problems.push(
      new HekateError('USAGE', `--node was given, and there are ${old.chains.length} chains`, {
        fix: 'choose one of them with --chain-id, or leave out --node',
      }),
    );
  const chains = old.chains.map((chain): PlannedChain => {
    const { chainId, key, keyFrom, bech32Prefix, state } = chain;
    const address = toHex(addressOf(key.publicKey)).toUpperCase();
    const nodes = attempt(() => nodesOf(chain, asked)) ?? [];
    attempt(() => checkValidator(chain, address, asked.validators));
    const reports = evidence.reports.filter(({ network }) => network === chainId);
    const start = attempt(() => chooseMigrationStart(chain, reports, asked, asked.nowSecond));
    const notes = [...chain.notes, ...notesOnNodes(nodes)];
    const lastSigned = state?.found.watermark;
    return { chainId, key, keyFrom, address, nodes, bech32Prefix, stateFile: state?.file, lastSigned, start, notes };
  });
  return { name: old.name, chains, notes: old.notes, proofs, unproven, refusals: problems };
}

function nodesOf({ chainId, nodes: known }: AnyOldChain, asked: Asked): readonly string[] {
  const nodes = asked.nodes ?? known;
  if (nodes.length === 0 && asked.withoutNodes !== true)
    throw new HekateError('USAGE', `no node of ${chainId} was given, and the old signer names none`, {
      fix: 'add --node ADDR, its priv_validator_laddr as the sentry-links reach it',
    });
  if (new Set(nodes.map((node) => nodeKey(parseNodeAddress(node)))).size !== nodes.length)
    throw new HekateError('USAGE', 'a node was given twice');
  return nodes;
}

function checkValidator({ chainId, keyFrom }: AnyOldChain, address: string, validators: readonly string[]): void {
  if (validators.length === 0 || validators.includes(address)) return;
  throw new HekateError(
    'KEY_OF_ANOTHER_VALIDATOR',
    `${keyFrom}, the key of ${chainId}, is that of validator ${address}, not of ${validators.join(' or ')}`,
  );
}

function notesOnNodes(nodes: readonly string[]): readonly string[] {
  return nodes
    .filter((node) => {
      const address = parseNodeAddress(node);
      return address.transport === 'unix' || isLoopback(address.host);
    })
    .map(
      (node) =>
        `${node} is reached only from the host of the node: each sentry-link on another host needs its own address of it (--node)`,
    );
}
