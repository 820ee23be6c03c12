import { DEFAULT_FAULTS } from './faults.js';
import { SIGN_LIES } from './lying-link.js';
import { RESTS } from './sim-node.js';

/** What a run of CI's length must have come upon, or it tests less than it says. */
export const EXPECTED: readonly string[] = [
  ...[...new Set(DEFAULT_FAULTS)].filter((fault) => fault !== 'plot').map((fault) => `fault: ${fault}`),
  ...['operator', 'old-state', 'lost-file', 'rot', 'lost-writes', 'put-back', 'amnesia'].map(
    (fault) => `fault: ${fault}, done`,
  ),
  ...['a read fails', 'a write fails', 'wild rate'].map((fault) => `fault: ${fault}`),
  ...['done', 'lost', 'sectors', 'torn'].map((how) => `fault: a write is ${how}`),
  ...['raised', 'replaced', 'unchanged', 'recovered'].map((outcome) => `operator: ${outcome}`),
  ...['2 of 2', '2 of 3', '3 of 4', '3 of 5', '4 of 5', '4 of 6', '5 of 7', '5 of 9'].map((one) => `plan: ${one}`),
  ...['1 chains', '2 chains', '3 chains', '2 links', '3 links', '1 nodes', '2 nodes'].map((many) => `plan: ${many}`),
  ...['1 lying cosigners', '2 lying cosigners', 'a lying link', 'two leaders'].map((who) => `plan: ${who}`),
  ...[
    ...['DOUBLE_SIGN', 'HEIGHT_REGRESSION', 'ROUND_REGRESSION', 'STEP_REGRESSION', 'PROPOSAL_TIMESTAMP'],
    ...['HEIGHT_JUMP', 'HEIGHT_PACE', 'NONCE_UNKNOWN', 'TERM_OLD', 'SIGNERS_INVALID', 'WRONG_CHAIN', 'GROUP_MISMATCH'],
    ...['EXTENSION_NOT_ALLOWED', 'SIGN_BYTES_INVALID', 'STATE_WRITE_FAILED'],
    ...['FROST_COMMITMENT_FOREIGN', 'FROST_POINT_INVALID', 'FROST_SIGNERS_INVALID', 'stored'],
  ].map((answer) => `cosigner says ${answer}`),
  'cosigner gives a share',
  'cosigner says WAITING',
  'cosigner asks where others stand',
  ...['waiting itself', 'and does not wait'].map((how) => `cosigner answers, ${how}`),
  'world: some are gone for good',
  'world: what was signed is forgotten, and the nodes fall behind',
  ...['lost', 'still', 'chosen', 'finishes its height'].map((why) => `node served: ${why}`),
  ...RESTS.map((how) => `node ${how}`),
  'link sees a fall',
  'link ended in order',
  'watcher kills a link',
  'lease handed over by hand',
  'lease taken by whom it was handed to',
  'cosigner tells that its lease is free',
  ...[
    ...['DOUBLE_SIGN', 'HEIGHT_JUMP', 'HEIGHT_REGRESSION', 'ROUND_REGRESSION', 'STEP_REGRESSION'],
    ...['PROPOSAL_TIMESTAMP', 'NODE_NOT_SERVED', 'QUORUM_LOST', 'REQUEST_INVALID'],
    ...['nothing', 'signedProposal', 'signedVote'],
  ].map((answer) => `node hears ${answer}`),
  ...[
    ...['hello', 'place or term', 'bad point', 'nonces again', 'other nonces', 'wrong share', 'replayed share'],
    ...['stored', 'refusal', 'silence', 'question again', 'standpoint', 'a lease that is free'],
  ].map((lie) => `lying cosigner: ${lie}`),
  ...SIGN_LIES.map((lie) => `lying link: asks, ${lie}`),
  ...[
    ...['asks for the lease', 'gives back a lease', 'has a signature', 'no message', 'replay'],
    ...['shows a signature', 'shows what is none', 'forges an answer', 'an old answer'],
    ...['plots, with a signature', 'plots, with a share', 'the forgetful sign again'],
  ].map((what) => `lying link: ${what}`),
  ...[
    ...['lease acquired', 'lease lost', 'quorum lost', 'quorum is back', 'cosigner left out'],
    ...['cosigner does not sign for this chain', 'the watermark of a cosigner has fallen'],
  ].map((event) => `link says ${event}`),
  ...['STATE_MISSING', 'STATE_UNREADABLE', 'STATE_WRITE_FAILED'].flatMap((code) => [
    `state: halted by ${code}`,
    `state: does not start, ${code}`,
  ]),
  ...['TRANSPORT_MALFORMED', 'a port refuses'].map((what) => `wire: ${what}`),
];
