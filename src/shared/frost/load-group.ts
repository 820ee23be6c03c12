import { HekateError, messageOf } from '../errors.js';
import { equalBytes, pinnedBytes } from '../bytes.js';
import { newScalar, POINT_BYTES, type Group, type Scalar } from './group.js';
import { nativeGroup } from './sodium-native.js';
import { wasmGroup } from './sodium-wasm.js';

/** The two builds of libsodium; tests put broken ones here. */
export interface GroupLoaders {
  readonly wasm: () => Promise<Group>;
  readonly native: (scalarMul: Group['scalarMul']) => Group;
}

const LIBSODIUM: GroupLoaders = { wasm: wasmGroup, native: nativeGroup };

/**
 * The group operations of this machine: libsodium's prebuilt native addon where it loads and computes correctly, its
 * WASM build otherwise. With `prefer` only that one. Throws HekateError FROST_BACKEND_UNAVAILABLE when there is none.
 */
export async function loadGroup(prefer?: Group['name'], loaders: GroupLoaders = LIBSODIUM): Promise<Group> {
  const wasm = await attempt('wasm', loaders.wasm);
  if (wasm instanceof HekateError) throw wasm;
  if (prefer === 'wasm') return wasm;
  const native = await attempt('native', () => loaders.native((a, b, out) => wasm.scalarMul(a, b, out)));
  if (!(native instanceof HekateError)) return native;
  if (prefer === 'native') throw native;
  return wasm;
}

async function attempt(name: string, load: () => Group | Promise<Group>): Promise<Group | HekateError> {
  try {
    const group = await load();
    checkAnswers(group);
    return group;
  } catch (cause) {
    const message = `libsodium (${name}) cannot be used: ${messageOf(cause).split('\n', 1)[0]!.slice(0, 200)}`;
    return new HekateError('FROST_BACKEND_UNAVAILABLE', message, { cause });
  }
}

/** A build that loads but computes wrongly must not make nonces: B itself (RFC 8032 §5.1), and 6·B in five ways. */
function checkAnswers(group: Group): void {
  const small = (n: number): Scalar => {
    const scalar = newScalar();
    scalar[0] = n;
    return scalar;
  };
  const base = group.baseMult(small(1));
  const expectedBase = pinnedBytes(POINT_BYTES).fill(0x66);
  expectedBase[0] = 0x58;
  const wide = pinnedBytes(64);
  wide[0] = 6;
  const six = group.baseMult(small(6));
  const same = [
    group.mult(small(6), base),
    group.add([base, group.mult(small(5), base)]),
    group.baseMult(group.scalarMul(small(2), small(3))),
    group.baseMult(group.scalarAdd(small(2), small(4))),
    group.baseMult(group.reduce64(wide)),
  ];
  const correct =
    equalBytes(base, expectedBase) &&
    same.every((point) => equalBytes(point, six)) &&
    group.isValidPoint(six) &&
    !group.isValidPoint(small(1));
  if (!correct) throw new Error('wrong answers to known questions');
}
