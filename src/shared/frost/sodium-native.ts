import { createRequire } from 'node:module';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { assertScalar, newPoint, newScalar, NOT_ZERO, POINT_BYTES, type Group } from './group.js';

/** What is used of sodium-native 5 (prebuilt libsodium addon). Functions throw where libsodium returns -1. */
interface NativeSodium {
  crypto_scalarmult_ed25519_base_noclamp(out: Uint8Array, scalar: Uint8Array): void;
  crypto_scalarmult_ed25519_noclamp(out: Uint8Array, scalar: Uint8Array, point: Uint8Array): void;
  crypto_core_ed25519_add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean;
  crypto_core_ed25519_scalar_add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  crypto_core_ed25519_scalar_reduce(out: Uint8Array, wide: Uint8Array): void;
}

/** Throws whatever the loader throws where no prebuilt addon fits this machine. */
function loadAddon(): NativeSodium {
  return createRequire(import.meta.url)('sodium-native') as NativeSodium;
}

/** The addon has no scalar multiplication: `scalarMul` comes from libsodium's WASM build. */
export function nativeGroup(scalarMul: Group['scalarMul']): Group {
  const sodium = loadAddon();

  function isValidPoint(point: Uint8Array): boolean {
    return point.length === POINT_BYTES && sodium.crypto_core_ed25519_is_valid_point(point);
  }

  return {
    name: 'native',
    baseMult(scalar, out = newPoint()) {
      assertScalar(scalar);
      try {
        sodium.crypto_scalarmult_ed25519_base_noclamp(out, scalar);
      } catch {
        invariant(false, NOT_ZERO);
      }
      return out;
    },
    mult(scalar, point, out = newPoint()) {
      assertScalar(scalar);
      try {
        sodium.crypto_scalarmult_ed25519_noclamp(out, scalar, point);
      } catch (cause) {
        invariant(!isValidPoint(point), NOT_ZERO);
        throw new HekateError('FROST_POINT_INVALID', 'a point is not in the prime-order group', { cause });
      }
      return out;
    },
    add(points) {
      const [first, ...others] = points;
      invariant(first !== undefined, 'a sum has at least one point');
      const sum = newPoint();
      sum.set(first);
      try {
        for (const point of others) sodium.crypto_core_ed25519_add(sum, sum, point);
      } catch (cause) {
        throw new HekateError('FROST_POINT_INVALID', 'a point is not on the curve', { cause });
      }
      return sum;
    },
    isValidPoint,
    scalarAdd(a, b, out = newScalar()) {
      sodium.crypto_core_ed25519_scalar_add(out, a, b);
      return out;
    },
    scalarMul,
    reduce64(wide, out = newScalar()) {
      sodium.crypto_core_ed25519_scalar_reduce(out, wide);
      return out;
    },
  };
}
