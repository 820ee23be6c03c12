import type { Release } from '../coordination/release.js';
import { MAX_FEATURE_BYTES, MAX_FEATURES, MAX_VERSION_BYTES } from './message-bounds.js';
import { atMost, int32, text } from './wire-values.js';

/** What both hellos say of a release. One that is too old for `protocol` and `features` has 0 and none, as protobuf has it. */
export function readRelease({ version, protocol, features }: Release): Release {
  return {
    version: text(version, 0, MAX_VERSION_BYTES, 'version'),
    protocol: int32(protocol, 'protocol'),
    features: atMost(features, MAX_FEATURES, 'list of features').map((name) =>
      text(name, 1, MAX_FEATURE_BYTES, 'name of a feature'),
    ),
  };
}
