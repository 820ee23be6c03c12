import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

const { Fn, BASE } = ed25519.Point;

/** A key that was dealt as Horcrux deals: shares of the clamped scalar of a seed, mod L, at 1…n. */
export interface HorcruxDealing {
  readonly publicKey: Uint8Array;
  /** By id, from 1 on; 32 bytes, little-endian. */
  readonly shares: readonly Uint8Array[];
}

/** Written apart from the production code on purpose. `bytes`: 32 reproducible or random ones at each call. */
export function dealAsHorcrux(threshold: number, count: number, bytes: () => Uint8Array): HorcruxDealing {
  const seed = bytes();
  const scalar = scalarOfSeed(seed);
  const coefficients = [scalar, ...Array.from({ length: threshold - 1 }, () => Fn.create(littleEndian(bytes())))];
  const shares = Array.from({ length: count }, (_, i) => Fn.toBytes(valueAt(coefficients, BigInt(i + 1))));
  return { publicKey: BASE.multiply(Fn.create(scalar)).toBytes(), shares };
}

export function pointOfShare(share: Uint8Array): Uint8Array {
  return BASE.multiply(Fn.fromBytes(share)).toBytes();
}

/** CHAIN_shard.json, with the public key as protobuf or as amino has it. */
export function shardJson(dealing: HorcruxDealing, id: number, encoding: 'protobuf' | 'amino' = 'protobuf'): string {
  const prefix = encoding === 'protobuf' ? '0a20' : '1624de6420';
  const pubKey = Buffer.concat([Buffer.from(prefix, 'hex'), dealing.publicKey]).toString('base64');
  return JSON.stringify({ pubKey, privateShard: Buffer.from(dealing.shares[id - 1]!).toString('base64'), id });
}

/** config.yaml as `horcrux config init` writes it. */
export function horcruxYaml(threshold: number, count: number, nodes: readonly string[]): string {
  const cosigners = Array.from(
    { length: count },
    (_, i) => `    - shardID: ${i + 1}\n      p2pAddr: tcp://10.0.0.${i + 1}:2222\n`,
  );
  return [
    'signMode: threshold\n',
    `thresholdMode:\n  threshold: ${threshold}\n  cosigners:\n${cosigners.join('')}`,
    '  grpcTimeout: 1000ms\n  raftTimeout: 1000ms\n',
    nodes.length === 0
      ? 'chainNodes: []\n'
      : `chainNodes:\n${nodes.map((node) => `    - privValAddr: ${node}\n`).join('')}`,
    'debugAddr: ""\ngrpcAddr: ""\nmaxReadSize: 1048576\n',
  ].join('');
}

function scalarOfSeed(seed: Uint8Array): bigint {
  const digest = createHash('sha512').update(seed).digest().subarray(0, 32);
  digest[0]! &= 248;
  digest[31] = (digest[31]! & 127) | 64;
  return littleEndian(digest);
}

function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => Fn.create(value * x + coefficient), 0n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
