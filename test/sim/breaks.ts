/**
 * The rules that can be switched off, one at a time, to show that the simulator would see it. Most are exchanged in the text of
 * production's own compiled modules as they are loaded (mutation.ts), so that nothing in production knows of them; a text that
 * is not found any more is an error. The others are exchanged parts (parts.ts), a lying disk or an unsafe threshold.
 */
export interface TextChange {
  /** Module of production, without its ending. */
  readonly file: string;
  /** Compiled text, whose spaces and line breaks may be any; it must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Broken {
  readonly what: string;
  readonly changes?: readonly TextChange[];
}

const SIGNER = 'cosigner/signing/chain-signer';
const RULES = 'src/shared/watermark/rules';
const STORE = 'src/shared/watermark/store';
const START_WAIT = 'src/shared/watermark/start-wait';
const CHAIN_WAIT = 'cosigner/signing/chain-wait';
const NEWEST = 'sentry-link/signing/newest-signature';
const ARBITER = 'sentry-link/node/node-arbiter';
const RUN_RECORD = 'src/shared/watermark/run-record';
const SIGN_BYTES = 'src/shared/privval/sign-bytes';
/** What else would notice, and end the process, before anything leaves. */
const NO_SECOND_LOOK: TextChange = {
  file: STORE,
  from: 'const order = compareHrs(next, current);',
  to: 'return true; const order = compareHrs(next, current);',
};

const NO_WAIT: TextChange = {
  file: 'src/shared/watermark/life',
  from: "waiting: standing !== 'same' }",
  to: 'waiting: false }',
};

const ignoring = (field: string): TextChange => ({
  file: SIGN_BYTES,
  from: 'return equalBytes(encodeCanonical(withTimestamp(a, ZERO_TIME)), encodeCanonical(withTimestamp(b, ZERO_TIME)));',
  to: `const alike = (one) => ({ ...one, timestamp: ZERO_TIME, ${field} });
       return equalBytes(encodeCanonical(alike(a)), encodeCanonical(alike(b)));`,
});
const ofBlock = (part: string): string => `blockId: one.blockId && { ...one.blockId, ${part} }`;

export const BREAKS = {
  watermark: { what: 'a store that writes down what it signs and never looks at it' },
  quorum: { what: '2 of 4, so that two quorums need not meet' },
  regression: {
    what: 'places below the watermark are signed',
    changes: [{ file: RULES, from: 'if (order < 0)', to: 'if (false)' }, NO_SECOND_LOOK],
  },
  'same-place': {
    what: 'another block at the place of the watermark is signed',
    changes: [
      {
        file: RULES,
        from: 'if (!sameExceptTimestamp(asked, before)) {',
        to: "if (!sameExceptTimestamp(asked, before)) { return { kind: 'sign', next: raise(signBytes) };",
      },
      NO_SECOND_LOOK,
    ],
  },
  'block-hash': {
    what: 'the hash of a block counts for nothing',
    changes: [ignoring(ofBlock('hash: new Uint8Array(32)'))],
  },
  'parts-total': { what: 'partsTotal counts for nothing', changes: [ignoring(ofBlock('partsTotal: 1'))] },
  'parts-hash': { what: 'partsHash counts for nothing', changes: [ignoring(ofBlock('partsHash: new Uint8Array(32)'))] },
  'pol-round': {
    what: 'a proposal with another polRound is the same, and signed',
    changes: [
      ignoring('...(one.step === STEP_PROPOSAL && { polRound: -1n })'),
      {
        file: RULES,
        from: 'if (asked.step === STEP_PROPOSAL) {',
        to: "if (asked.step === STEP_PROPOSAL) { return { kind: 'sign', next: raise(signBytes) };",
      },
      NO_SECOND_LOOK,
    ],
  },
  'proposal-time': {
    what: 'a proposal is signed again with another timestamp',
    changes: [
      {
        file: RULES,
        from: 'if (asked.step === STEP_PROPOSAL) {',
        to: "if (asked.step === STEP_PROPOSAL) { return { kind: 'sign', next: raise(signBytes) };",
      },
      NO_SECOND_LOOK,
    ],
  },
  'settle-later': {
    what: 'a settled vote may go back to an earlier timestamp',
    changes: [
      { file: RULES, from: 'if (settle && isLaterTimestampOfSameVote(asked, before))', to: 'if (settle)' },
      NO_SECOND_LOOK,
    ],
  },
  floor: {
    what: 'at a floor anything is signed',
    changes: [
      {
        file: RULES,
        from: 'if (stored.signBytes === undefined) {',
        to: "if (stored.signBytes === undefined) { return { kind: 'sign', next: raise(signBytes) };",
      },
      NO_SECOND_LOOK,
    ],
  },
  'proof-verified': {
    what: 'what is shown as a signature is believed unverified',
    changes: [
      {
        file: 'src/shared/watermark/proof',
        from: 'if (!verifySignature(groupPublicKey, signBytes, signature))',
        to: 'if (false)',
      },
    ],
  },
  'chain-check': {
    what: 'sign bytes of another chain are signed',
    changes: [
      { file: SIGNER, from: 'if (says.chainId !== this.chainId)', to: 'if (false)' },
      {
        file: 'src/shared/watermark/slot-record',
        from: 'return says === undefined || (says.chainId === chainId',
        to: 'return says === undefined || (true',
      },
    ],
  },
  'key-named': {
    what: 'a request that names another key is served',
    changes: [
      {
        file: 'cosigner/links/link-session',
        from: 'if (!equalBytes(open.key.groupPublicKey, request.groupPublicKey))',
        to: 'if (false)',
      },
    ],
  },
  signers: {
    what: 'any number of signers will do',
    changes: [
      { file: SIGNER, from: 'if (request.signers.length !== threshold)', to: 'if (false)' },
      {
        file: SIGNER,
        from: "invariant(request.signers.length === this.#options.threshold, 'a share is made for exactly t signers');",
        to: '',
      },
    ],
  },
  'signer-order': {
    what: 'signers may be named twice, and in any order',
    changes: [{ file: 'src/shared/frost/signer-list', from: 'if (id <= before)', to: 'if (false)' }],
  },
  extension: {
    what: 'any vote or proposal may carry an extension',
    changes: [
      {
        file: SIGNER,
        from: 'return canonical.step === STEP_PRECOMMIT && canonical.blockId !== undefined;',
        to: 'return true;',
      },
    ],
  },
  'durable-first': { what: 'a disk that says "durable" before it is' },
  'write-awaited': {
    what: 'a share does not wait for the write',
    changes: [
      {
        file: SIGNER,
        from: 'await durable;',
        to: 'durable?.catch(() => undefined);',
      },
      {
        file: SIGNER,
        from: "invariant(covered, 'a share is released only for the sign bytes of the durable watermark');",
        to: '',
      },
    ],
  },
  'write-failed': {
    what: 'after a failed write the store goes on',
    changes: [{ file: STORE, from: "this.#halted = 'STATE_WRITE_FAILED';", to: '' }],
  },
  'nonce-once': { what: 'a pool that keeps what was taken' },
  'nonce-bound': {
    what: 'a signer takes any commitment that is listed as its own',
    changes: [
      {
        file: 'src/shared/frost/sign',
        from: 'if (!equalBytes(listed.hiding, own.hiding) || !equalBytes(listed.binding, own.binding)) {',
        to: 'if (false) {',
      },
    ],
  },
  'points-valid': {
    what: 'the commitments of the others are not checked',
    changes: [
      {
        file: 'src/shared/frost/group-commitment',
        from: 'const sum = group.add(terms); if (!group.isValidPoint(sum))',
        to: 'const sum = group.add(terms); if (false)',
      },
      {
        file: 'src/shared/frost/group-commitment',
        from: 'group.mult(must(bindingFactors[i]',
        to: 'lax(group, must(bindingFactors[i]',
      },
      {
        file: 'src/shared/frost/group-commitment',
        from: 'export function sumCommitments(',
        to: 'const lax = (group, factor, point) => { try { return group.mult(factor, point); } catch { return group.baseMult(factor); } };\nexport function sumCommitments(',
      },
    ],
  },
  rollback: {
    what: 'a state that is older than its mark counts from where it stands, and its start does not wait',
    changes: [
      {
        file: 'src/shared/watermark/state-mark',
        from: 'if (state.sequence >= mark.sequence && !isBehind)',
        to: 'if (true)',
      },
      NO_WAIT,
    ],
  },
  wait: { what: 'a start does not wait', changes: [NO_WAIT] },
  'wait-count': {
    what: 'a wait ends with one other less',
    changes: [
      {
        file: START_WAIT,
        from: 'others.length + 1 - threshold + 1;',
        to: 'others.length + 1 - threshold;',
      },
    ],
  },
  'wait-discount': {
    what: 'others that wait themselves count like those that do not',
    changes: [{ file: START_WAIT, from: 'Math.max(0, waiting - (threshold - 2))', to: 'waiting' }],
  },
  'answer-fresh': {
    what: 'an answer to an earlier question is taken for one to this',
    changes: [{ file: START_WAIT, from: 'return Buffer.compare(question, this.#question) === 0;', to: 'return true;' }],
  },
  'answer-signed': {
    what: 'whoever answers for a cosigner is believed',
    changes: [
      {
        file: 'cosigner/waiting/asker',
        from: 'if (!this.#deps.keys.verifies(answerer, answerBytes(answer), signature))',
        to: 'if (false)',
      },
    ],
  },
  fence: {
    what: 'who answers keeps the nonces of before',
    changes: [{ file: 'cosigner/signing/from-others', from: 'this.#deps.discardNonces();', to: '' }],
  },
  'heard-floor': {
    what: 'what is heard raises nothing',
    changes: [{ file: CHAIN_WAIT, from: 'if (compareHrs(place, floor) <= 0) return floor;', to: 'return floor;' }],
  },
  'heard-pace': {
    what: 'any place that is heard is believed',
    changes: [{ file: CHAIN_WAIT, from: 'if (compareHrs(place, current) <= 0) return true;', to: 'return true;' }],
  },
  'run-number': {
    what: 'any record of the same life will do',
    changes: [{ file: RUN_RECORD, from: "if (record.sequence > sequence) return 'behind';", to: "return 'same';" }],
  },
  shown: {
    what: 'nobody is shown what others have signed',
    changes: [
      { file: NEWEST, from: 'if (!signers.includes(id)) this.#tellSoon(listener);', to: '' },
      { file: NEWEST, from: 'return this.#newest?.proof;', to: 'return undefined;' },
    ],
  },
  'run-while-waiting': {
    what: 'one that waits leaves a record in its run-time folder',
    changes: [
      { file: STORE, from: 'if (!this.waiting) this.#life.leave(sequence);', to: 'this.#life.leave(sequence);' },
    ],
  },
  'run-moved': {
    what: 'what an earlier start left in another run-time folder stays there',
    changes: [
      {
        file: 'src/shared/watermark/life',
        from: 'if (path !== trace?.path && basename(path) === name) remove(path);',
        to: '',
      },
    ],
  },
  'recover-floor': {
    what: 'an operator who ends a wait sets no floor',
    changes: [{ file: CHAIN_WAIT, from: '[floorAtHeight(height), ...places].reduce(', to: 'places.reduce(' }],
  },
  'sit-out': {
    what: 'no height is ever sat out',
    changes: [{ file: START_WAIT, from: 'return height > this.#doubtful && height > reached;', to: 'return false;' }],
  },
  'mark-missing': {
    what: 'a state without its mark is used',
    changes: [
      {
        file: 'src/shared/watermark/state-mark',
        from: 'if (mark === undefined) {',
        to: 'if (mark === undefined) { await disk.create(markPath(path), encodeMark(binding, state)); return state;',
      },
    ],
  },
  'state-missing': { what: 'a new state where there is none' },
  checksum: {
    what: 'a record is read whatever its checksum',
    changes: [
      {
        file: 'src/shared/watermark/slot-record',
        from: 'if (!checksum(bytes).equals(bytes.subarray(AT.checksum)))',
        to: 'if (false)',
      },
      {
        file: 'src/shared/watermark/slot-record',
        from: 'if (!bytes.equals(encode(record, version)))',
        to: 'if (false)',
      },
    ],
  },
  'two-copies': {
    what: 'a record is written once and not twice',
    changes: [
      {
        file: 'src/shared/watermark/state-file',
        from: 'return slot.copyWithin(RECORD_BYTES, 0, RECORD_BYTES);',
        to: 'return slot;',
      },
    ],
  },
  verified: {
    what: 'signatures are not verified before they are released',
    changes: [
      {
        file: 'sentry-link/signing/attempt',
        from: 'if (signature !== undefined && verifySignature(key.publicKey, part.message, signature))',
        to: 'if (signature !== undefined)',
      },
    ],
  },
  'in-time': {
    what: 'a round has no deadline',
    changes: [
      {
        file: 'sentry-link/signing/signing-round',
        from: 'this.#after(deadlineMs, () => this.#finish(this.#outOfTime()));',
        to: '',
      },
    ],
  },
  'lease-close': { what: 'a node service that keeps its connections when the lease is lost' },
  'lease-one': {
    what: 'a cosigner promises its lease to whoever asks',
    changes: [
      { file: 'cosigner/lease-table', from: 'if (this.#live(nowMs) && this.#holder !== link) return false;', to: '' },
    ],
  },
  'lease-term': {
    what: 'a cosigner that has promised a term promises none below it',
    changes: [
      {
        file: 'cosigner/lease-table',
        from: 'if (this.#live(nowMs) && request.term < this.#term) return false;',
        to: 'if (request.term < this.#term) return false;',
      },
    ],
  },
  'lease-closed': {
    what: 'a promise outlives the stream that it came on',
    changes: [
      {
        file: 'cosigner/lease-table',
        from: 'if (this.#stream !== stream || !this.#live(nowMs)) return false;',
        to: 'if (true) return false;',
      },
    ],
  },
  'lease-kept': {
    what: 'a lease that was handed over goes to whoever asks first',
    changes: [{ file: 'cosigner/lease-table', from: 'if (this.#keptFor(link, nowMs)) return false;', to: '' }],
  },
  'lease-admits': {
    what: 'whoever asks is served, whoever has the promise',
    changes: [
      {
        file: 'cosigner/lease-table',
        from: 'return term > this.#term && !(this.#live(nowMs) && this.#hears(this.#holder, nowMs));',
        to: 'return true;',
      },
    ],
  },
  'hold-down': {
    what: 'a cosigner that has just started promises at once',
    changes: [{ file: 'cosigner/lease-table', from: 'nowMs >= this.#holdDownUntilMs;', to: 'true;' }],
  },
  'falls-counted': {
    what: 'a link does not look whether what a cosigner reports has fallen',
    changes: [
      {
        file: 'sentry-link/cosigners/peer-chains',
        from: 'if (before === undefined || compareHrs(place, before) >= 0)',
        to: 'if (true)',
      },
    ],
  },
  'watch-still': {
    what: 'a sentry-link that stands still is not killed',
    changes: [
      {
        file: 'src/shared/process/stand-still',
        from: 'return stillMs >= STAND_STILL_MS ? stillMs : undefined;',
        to: '',
      },
    ],
  },
  'watch-late': {
    what: 'a watcher that was stopped with its host takes its sentry-link for frozen',
    changes: [{ file: 'src/shared/process/stand-still', from: 'if (late) this.#beatMs = nowMs;', to: '' }],
  },
  'watch-again': {
    what: 'one that stands still again and again is started at once each time',
    changes: [{ file: 'src/shared/process/restart-delay', from: 'if (this.#stills === 1) return 0;', to: 'return 0;' }],
  },
  'node-kept': {
    what: 'a node that is lost is served when it comes back',
    changes: [{ file: ARBITER, from: "if (this.#isLost(turn, nowMs)) return 'lost';", to: '' }],
  },
  'node-patience': {
    what: 'a node is given up as soon as another one is ahead for a while',
    changes: [
      {
        file: ARBITER,
        from: 'if (ahead === undefined || nowMs - turn.newMs < stillMs)',
        to: 'if (ahead === undefined)',
      },
    ],
  },
  'node-one': {
    what: 'whichever node asks is served',
    changes: [{ file: ARBITER, from: 'if (turn.node === node) return turn;', to: 'return turn;' }],
  },
  'node-height': {
    what: 'the node that is chosen is served in the middle of a height',
    changes: [
      {
        file: ARBITER,
        from: "this.#serve(node, { why: 'chosen' }, nowMs, this.#turn);",
        to: "this.#serve(node, { why: 'chosen' }, nowMs);",
      },
    ],
  },
  'node-still': {
    what: 'a height that is refused is something new',
    changes: [
      { file: 'sentry-link/node/node-turn', from: 'if (this.height === height) this.#asked = this.#signed;', to: '' },
    ],
  },
  'queue-bounded': {
    what: 'as many requests wait as anybody likes',
    changes: [{ file: 'src/shared/serial-queue', from: 'if (this.#size >= this.#limit) return undefined;', to: '' }],
  },
  'height-jump': {
    what: 'any height above the watermark will do',
    changes: [{ file: RULES, from: 'if (!stored.fresh && jump > maxHeightJump)', to: 'if (false)' }],
  },
  'height-pace': {
    what: 'heights may rise at any pace',
    changes: [
      {
        file: 'src/shared/watermark/height-pace',
        from: 'const after = available - heights * THOUSANDTHS;',
        to: 'const after = MOST_LEFT;',
      },
    ],
  },
  'pace-kept': {
    what: 'a restart fills the bucket of heights',
    changes: [
      {
        file: STORE,
        from: 'await store.#write(state.watermark); await store.#write(state.watermark);',
        to: 'store.#watermark = { ...state.watermark, pace: undefined }; await store.#write(store.#watermark);',
      },
    ],
  },
  'first-height': {
    what: 'a floor of an operator takes any first height',
    changes: [
      {
        file: 'src/shared/watermark/watermark',
        from: 'return { height, round: INT32_MAX, step: 3, signBytes: undefined, fresh: false };',
        to: 'return { height, round: INT32_MAX, step: 3, signBytes: undefined, fresh: true };',
      },
      { file: 'src/shared/watermark/slot-record', from: 'fresh: fresh && height === 0n', to: 'fresh' },
    ],
  },
} satisfies Readonly<Record<string, Broken>>;

export type Break = keyof typeof BREAKS;
export const BREAK_NAMES = Object.keys(BREAKS) as readonly Break[];

/** What is exchanged in the text of modules; none for a rule that is switched off in another way. */
export function changesOf(broken: Break): readonly TextChange[] {
  const one: Broken = BREAKS[broken];
  return one.changes ?? [];
}
