import type { ProcessStatus } from '../shared/status/process-status.js';

/** `protocol` 0, as in the hello of an older release. */
const UNSAID = { protocol: 0, features: [] } as const;
const PEER_UNSAID = { protocol: null, features: [], passedOver: 0, falls: 0, claims: [] } as const;

/** The answer of a process that may still run an older release than this command: what that did not tell is filled in. */
export function completeStatus(status: ProcessStatus): ProcessStatus {
  const whole = Object.assign({ ...UNSAID }, status);
  if (whole.kind === 'cosigner') return Object.assign({ peers: [] }, whole);
  const nodes = whole.nodes.map((node) => Object.assign({ served: false, because: null }, node));
  return {
    ...whole,
    nodes,
    standbys: whole.standbys ?? [],
    cosigners: whole.cosigners.map((peer) => Object.assign({ ...PEER_UNSAID }, peer)),
  };
}
