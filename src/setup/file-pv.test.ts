import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../shared/bytes.js';
import { SignBytes } from '../shared/privval/sign-bytes.js';
import { HekateError } from '../shared/errors.js';
import { fromFilePv, toFilePv } from './file-pv.js';
import { floorAtHeight } from '../shared/watermark/watermark.js';

interface Vectors {
  readonly chainId: string;
  readonly accepted: readonly {
    readonly name: string;
    readonly json: string;
    readonly watermark: { height: string; round: number; step: number; signBytes: string };
  }[];
  readonly refused: readonly { readonly name: string; readonly json: string; readonly problem: string }[];
}

const vectors = JSON.parse(readFileSync(new URL('testdata/file-pv.json', import.meta.url), 'utf8')) as Vectors;

function problemOf(json: string): string {
  try {
    fromFilePv(json, vectors.chainId);
  } catch (error) {
    if (error instanceof HekateError && error.code === 'STATE_IMPORT_INVALID') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('fromFilePv', () => {
  it.each(vectors.accepted.map((vector) => [vector.name, vector] as const))(
    'takes %s',
    (_name, { json, watermark }) => {
      const { height, round, step, signBytes, fresh } = fromFilePv(json, vectors.chainId).watermark;
      const found = {
        height: height.toString(),
        round,
        step,
        signBytes: signBytes === undefined ? '' : toHex(signBytes.bytes).toUpperCase(),
      };
      expect(found).toEqual(watermark);
      expect(fresh).toBe(false);
    },
  );

  it.each(vectors.refused.map((vector) => [vector.name, vector] as const))('refuses %s', (_name, { json, problem }) => {
    expect(problemOf(json)).toContain(problem);
  });

  it.each<[string, unknown, number | undefined]>([
    ['none', undefined, undefined],
    ['null, as Go writes an empty one', null, undefined],
    ['empty', '', undefined],
    ['64 bytes', Buffer.alloc(64, 7).toString('base64'), 64],
  ])('reads a signature: %s', (_name, signature, length) => {
    expect(fromFilePv(JSON.stringify({ height: '5', round: 0, step: 3, signature }), 'any').signature?.length).toBe(
      length,
    );
  });

  it('refuses a file that is far too long', () => {
    expect(problemOf(`{"height":"5"${' '.repeat(70_000)}}`)).toContain('characters');
  });
});

describe('toFilePv', () => {
  it('writes what CometBFT reads, without sign bytes', () => {
    const says = { step: 3, chainId: 'test-1', height: 12345n, round: 2, blockId: undefined } as const;
    const signBytes = SignBytes.encode({ ...says, timestamp: { seconds: 1n, nanos: 0 } });
    const watermark = { height: 12345n, round: 2, step: 3 as const, signBytes, fresh: false };
    expect(JSON.parse(toFilePv(watermark))).toEqual({ height: '12345', round: 2, step: 3 });
  });

  it('is read back', () => {
    const floor = floorAtHeight(77n);
    expect(fromFilePv(toFilePv(floor), 'any')).toEqual({ watermark: floor, signature: undefined });
  });
});
