import { invariant } from '../invariant.js';
import { isIdentifier } from './ciphersuite.js';
import { newScalar, SCALAR_BYTES, type Scalar } from './group.js';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A cosigner sees its own coefficient in the sets it is asked to sign in: few in practice, billions in the worst case. */
const MAX_CACHED = 1024;
const cache = new Map<number, Scalar>();

/**
 * RFC 9591 §4.2 derive_interpolating_value: the Lagrange coefficient of `id` at 0 among `ids`, as a scalar. Public
 * numbers only, hence BigInt. Shared bytes: not to be written to.
 */
export function interpolatingValue(ids: readonly number[], id: number): Scalar {
  let set = 0;
  for (const one of ids) {
    invariant(isIdentifier(one), 'identifiers are checked before interpolation');
    set += 2 ** (one - 1);
  }
  invariant(ids.includes(id), 'a signer interpolates within its own set');
  invariant(new Set(ids).size === ids.length, 'identifiers are unique');
  const key = set * 64 + id;
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  if (cache.size >= MAX_CACHED) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
  const value = compute(ids, id);
  cache.set(key, value);
  return value;
}

function compute(ids: readonly number[], id: number): Scalar {
  let numerator = 1n;
  let denominator = 1n;
  for (const other of ids) {
    if (other === id) continue;
    numerator *= BigInt(other);
    denominator *= BigInt(other - id);
  }
  return encode(modulo(numerator * invert(modulo(denominator))));
}

/** Extended Euclid; ORDER is prime and `value` is not a multiple of it. */
function invert(value: bigint): bigint {
  let [a, b, x, y] = [value, ORDER, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  invariant(a === 1n, 'a Lagrange denominator is invertible');
  return modulo(x);
}

function modulo(value: bigint): bigint {
  const rest = value % ORDER;
  return rest < 0n ? rest + ORDER : rest;
}

function encode(value: bigint): Scalar {
  const scalar = newScalar();
  for (let i = 0, rest = value; i < SCALAR_BYTES; i++, rest >>= 8n) scalar[i] = Number(rest & 0xffn);
  return scalar;
}
