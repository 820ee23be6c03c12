import { z } from 'zod';
import { bigWholeNumber, text, wholeNumber } from '../../../shared/config/fields.js';
import type { ConfigIssue } from '../../../shared/config/config-problems.js';
import { readHostPort, type HostPort } from '../../../shared/config/host-port.js';
import { parseNodeAddress } from '../../../shared/config/node-address.js';
import { MAX_COSIGNERS } from '../../../shared/coordination/limits.js';
import { HekateError, messageOf } from '../../../shared/errors.js';
import { list, mapping, parseYaml } from '../yaml-file.js';

/** What a config.yaml of Horcrux 3 says of keys and nodes (signer/config.go). */
export interface HorcruxConfig {
  /** Undefined in single mode, where one process has the whole key. */
  readonly cluster: HorcruxCluster | undefined;
  /** As written; undefined: the home. */
  readonly keyDir: string | undefined;
  /** Of all its chains: Horcrux does not tell them apart. */
  readonly nodes: readonly string[];
  /** What is not taken over, a sentence each. */
  readonly notes: readonly string[];
}

export interface HorcruxCluster {
  readonly threshold: number;
  /** By shard id, 1…n. */
  readonly cosigners: readonly HostPort[];
}

const anyWholeNumber = bigWholeNumber(-(2n ** 63n), 2n ** 63n - 1n);
const p2pAddr = text.transform((value, context) => {
  const address = readHostPort(value.replace(/^tcp:\/\//, ''));
  if (typeof address !== 'string') return address;
  context.issues.push({ code: 'custom', message: `: ${JSON.stringify(value.slice(0, 80))} ${address}`, input: value });
  return z.NEVER;
});

const privValAddr = text.check((context) => {
  try {
    parseNodeAddress(context.value);
  } catch (error) {
    context.issues.push({ code: 'custom', message: `: ${messageOf(error)}`, input: context.value });
  }
});

const schema = mapping({
  keyDir: text.optional(),
  signMode: z.enum(['threshold', 'single'], { error: 'must be threshold or single' }).default('threshold'),
  thresholdMode: mapping({
    threshold: wholeNumber(1, MAX_COSIGNERS),
    cosigners: list(mapping({ shardID: wholeNumber(1, MAX_COSIGNERS), p2pAddr })),
    grpcTimeout: text.optional(),
    raftTimeout: text.optional(),
  }).optional(),
  chainNodes: list(mapping({ privValAddr })),
  debugAddr: text.optional(),
  grpcAddr: text.optional(),
  maxReadSize: anyWholeNumber.optional(),
});
type Yaml = z.output<typeof schema>;

/** Throws OLD_CONFIG_INVALID with line and column. */
export function parseHorcruxConfig(file: string, yaml: string): HorcruxConfig {
  if (/^(chain-id|chain-nodes):/m.test(yaml))
    throw new HekateError('OLD_CONFIG_INVALID', `${file} is of Horcrux 2`, {
      fix: 'run `horcrux config migrate` of Horcrux 3 first: it splits the file with the share, too',
    });
  const config = parseYaml(file, yaml, schema, crossChecks);
  const { keyDir, signMode, thresholdMode, chainNodes, grpcAddr } = config;
  const cluster =
    signMode === 'single' || thresholdMode === undefined
      ? undefined
      : { threshold: thresholdMode.threshold, cosigners: byId(thresholdMode.cosigners) };
  return {
    cluster,
    keyDir: keyDir === undefined || keyDir === '' ? undefined : keyDir,
    nodes: [...new Set(chainNodes.map((node) => parseNodeAddress(node.privValAddr).text))],
    notes:
      grpcAddr === undefined || grpcAddr === ''
        ? []
        : [
            `grpcAddr ${JSON.stringify(grpcAddr)} is not taken over: hekate signs for nodes only, never for whoever connects`,
          ],
  };
}

function byId(cosigners: NonNullable<Yaml['thresholdMode']>['cosigners']): readonly HostPort[] {
  return [...cosigners].sort((a, b) => a.shardID - b.shardID).map(({ p2pAddr: address }) => address);
}

function crossChecks({ signMode, thresholdMode: cluster }: Yaml): readonly ConfigIssue[] {
  if (signMode === 'single') return [];
  if (cluster === undefined) return [{ path: [], problem: '"thresholdMode" is missing' }];
  const { threshold, cosigners } = cluster;
  const count = cosigners.length;
  const issues: ConfigIssue[] = [];
  if (threshold > count || threshold * 2 <= count)
    issues.push({
      path: ['thresholdMode', 'threshold'],
      problem: `"threshold" ${threshold} is not more than half and at most all of ${count} cosigners`,
    });
  for (const [i, { shardID }] of cosigners.entries()) {
    const path = ['thresholdMode', 'cosigners', i, 'shardID'];
    if (shardID > count)
      issues.push({ path, problem: `"shardID" ${shardID} is above the number of cosigners, ${count}` });
    if (cosigners.findIndex((one) => one.shardID === shardID) < i)
      issues.push({ path, problem: `"shardID" ${shardID} is there twice` });
  }
  return issues;
}
