import { pinnedBytes } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { assertScalar, newPoint, newScalar, NOT_ZERO, POINT_BYTES, SCALAR_BYTES, type Group } from './group.js';

/** libsodium's C functions as the WASM module behind libsodium-wrappers-sumo exports them: addresses in, 0 for success. */
interface WasmSodium {
  /** The module's memory. Replaced when it grows, so never kept. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_scalarmult_ed25519_base_noclamp(out: number, scalar: number): number;
  _crypto_scalarmult_ed25519_noclamp(out: number, scalar: number, point: number): number;
  _crypto_core_ed25519_add(out: number, a: number, b: number): number;
  _crypto_core_ed25519_is_valid_point(point: number): number;
  _crypto_core_ed25519_scalar_add(out: number, a: number, b: number): void;
  _crypto_core_ed25519_scalar_mul(out: number, a: number, b: number): void;
  _crypto_core_ed25519_scalar_reduce(out: number, wide: number): void;
}

interface WasmWrapper {
  readonly default: { readonly ready: Promise<void>; readonly libsodium: WasmSodium };
}

const WIDE_BYTES = 64;

/** The whole group in WASM: for machines that sodium-native has no addon for, and for its scalarMul. */
export async function wasmGroup(): Promise<Group> {
  const { default: wrapper } = (await import('libsodium-wrappers-sumo')) as unknown as WasmWrapper;
  await wrapper.ready;
  const sodium = wrapper.libsodium;
  const base = sodium._malloc(WIDE_BYTES + 2 * SCALAR_BYTES);
  invariant(base !== 0, 'libsodium has memory for its operands');
  const [a, b, result] = [base, base + WIDE_BYTES, base + WIDE_BYTES + SCALAR_BYTES];

  /** Copies the operands in, runs, copies the result out; what was copied may be secret and is zeroed. */
  function run(operation: () => number | void, out: Uint8Array, first: Uint8Array, second?: Uint8Array): boolean {
    invariant(
      first.length <= WIDE_BYTES && (second?.length ?? SCALAR_BYTES) === SCALAR_BYTES,
      'operands fill their place',
    );
    invariant(out.length === SCALAR_BYTES, 'a result has 32 bytes');
    sodium.HEAPU8.set(first, a);
    if (second !== undefined) sodium.HEAPU8.set(second, b);
    try {
      if (operation() === -1) return false;
      out.set(sodium.HEAPU8.subarray(result, result + SCALAR_BYTES));
      return true;
    } finally {
      sodium.HEAPU8.fill(0, base, result + SCALAR_BYTES);
    }
  }

  const baseMult = (): number => sodium._crypto_scalarmult_ed25519_base_noclamp(result, a);
  const mult = (): number => sodium._crypto_scalarmult_ed25519_noclamp(result, a, b);
  const add = (): number => sodium._crypto_core_ed25519_add(result, a, b);
  const isValid = (): number => sodium._crypto_core_ed25519_is_valid_point(a) - 1;
  const scalarAdd = (): void => sodium._crypto_core_ed25519_scalar_add(result, a, b);
  const scalarMul = (): void => sodium._crypto_core_ed25519_scalar_mul(result, a, b);
  const reduce = (): void => sodium._crypto_core_ed25519_scalar_reduce(result, a);
  const unused = pinnedBytes(POINT_BYTES);

  function isValidPoint(point: Uint8Array): boolean {
    return point.length === POINT_BYTES && run(isValid, unused, point);
  }

  return {
    name: 'wasm',
    baseMult(scalar, out = newPoint()) {
      assertScalar(scalar);
      invariant(run(baseMult, out, scalar), NOT_ZERO);
      return out;
    },
    mult(scalar, point, out = newPoint()) {
      assertScalar(scalar);
      if (!run(mult, out, scalar, point)) {
        invariant(!isValidPoint(point), NOT_ZERO);
        throw new HekateError('FROST_POINT_INVALID', 'a point is not in the prime-order group');
      }
      return out;
    },
    add(points) {
      const [first, ...others] = points;
      invariant(first !== undefined, 'a sum has at least one point');
      const sum = newPoint();
      sum.set(first);
      for (const point of others) {
        if (!run(add, sum, sum, point)) {
          throw new HekateError('FROST_POINT_INVALID', 'a point is not on the curve');
        }
      }
      return sum;
    },
    isValidPoint,
    scalarAdd(x, y, out = newScalar()) {
      run(scalarAdd, out, x, y);
      return out;
    },
    scalarMul(x, y, out = newScalar()) {
      run(scalarMul, out, x, y);
      return out;
    },
    reduce64(wide, out = newScalar()) {
      invariant(wide.length === WIDE_BYTES, 'a wide scalar has 64 bytes');
      run(reduce, out, wide);
      return out;
    },
  };
}
