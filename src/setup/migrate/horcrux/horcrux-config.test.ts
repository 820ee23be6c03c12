import { expect, it } from 'vitest';
import { horcruxYaml } from '../../../../test/support/horcrux.js';
import { isHekateError } from '../../../shared/errors.js';
import { parseHorcruxConfig } from './horcrux-config.js';

const GOOD = horcruxYaml(2, 3, ['tcp://10.0.0.9:1234', 'tcp://10.0.0.8:1234']);

function refusal(yaml: string): string {
  try {
    parseHorcruxConfig('c.yaml', yaml);
  } catch (error) {
    if (isHekateError(error) && error.code === 'OLD_CONFIG_INVALID') return error.toLine();
    throw error;
  }
  return 'taken';
}

it('reads what `horcrux config init` writes', () => {
  expect(parseHorcruxConfig('c.yaml', GOOD)).toEqual({
    cluster: { threshold: 2, cosigners: ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => ({ host, port: 2222 })) },
    keyDir: undefined,
    nodes: ['tcp://10.0.0.9:1234', 'tcp://10.0.0.8:1234'],
    notes: [],
  });
});

it.each<[string, string, object]>([
  ['no nodes', horcruxYaml(2, 3, []), { nodes: [] }],
  ['nodes that are null', GOOD.replace(/chainNodes:\n( {4}.*\n)*/, 'chainNodes:\n'), { nodes: [] }],
  ['a node twice', horcruxYaml(2, 3, ['tcp://h:1', 'tcp://h:1']), { nodes: ['tcp://h:1'] }],
  ['another folder for keys', `keyDir: /run/keys\n${GOOD}`, { keyDir: '/run/keys' }],
  ['an empty folder for keys', `keyDir: ""\n${GOOD}`, { keyDir: undefined }],
  [
    'cosigners in another order',
    GOOD.replace(/shardID: ([13])/g, (_, id: string) => `shardID: ${4 - Number(id)}`),
    { cluster: { threshold: 2, cosigners: [3, 2, 1].map((n) => ({ host: `10.0.0.${n}`, port: 2222 })) } },
  ],
  [
    'single mode',
    'signMode: single\nchainNodes:\n- privValAddr: tcp://h:1\ndebugAddr: ""\n',
    { cluster: undefined, nodes: ['tcp://h:1'] },
  ],
  ['3.0, without its newer keys', GOOD.replace(/(grpcAddr|maxReadSize).*\n/g, ''), { notes: [] }],
  [
    'its gRPC server',
    GOOD.replace('grpcAddr: ""', 'grpcAddr: 0.0.0.0:5555'),
    { notes: [expect.stringContaining('grpcAddr "0.0.0.0:5555" is not taken over')] },
  ],
])('reads %s', (_name, yaml, expected) => {
  expect(parseHorcruxConfig('c.yaml', yaml)).toMatchObject(expected);
});

it.each<[string, string, string]>([
  [
    'of Horcrux 2',
    'chain-id: one\ncosigner:\n  threshold: 2\n',
    'c.yaml is of Horcrux 2. Fix: run `horcrux config migrate`',
  ],
  ['with an unknown key', `${GOOD}debugAdr: ""\n`, 'unknown key "debugAdr"'],
  ['with an unknown key within', GOOD.replace('grpcTimeout', 'rpcTimeout'), 'unknown key "rpcTimeout"'],
  ['without its cluster', 'signMode: threshold\n', 'c.yaml:1:1: "thresholdMode" is missing'],
  [
    'in a third mode',
    GOOD.replace('signMode: threshold', 'signMode: both'),
    'c.yaml:1:11: "signMode" must be threshold or single',
  ],
  [
    'with a threshold of half',
    horcruxYaml(2, 4, []),
    '"threshold" 2 is not more than half and at most all of 4 cosigners',
  ],
  [
    'with a threshold above all',
    horcruxYaml(4, 3, []),
    '"threshold" 4 is not more than half and at most all of 3 cosigners',
  ],
  ['with threshold 0', horcruxYaml(0, 3, []), '"threshold" must be between 1 and 32'],
  [
    'with a threshold that is a string',
    GOOD.replace('threshold: 2', 'threshold: "2"'),
    '"threshold" must be a whole number, not a string',
  ],
  ['with an id twice', GOOD.replace('shardID: 3', 'shardID: 2'), '"shardID" 2 is there twice'],
  ['with an id above all', GOOD.replace('shardID: 3', 'shardID: 7'), '"shardID" 7 is above the number of cosigners, 3'],
  ['with no cosigners', 'signMode: threshold\nthresholdMode:\n  threshold: 2\n', 'at most all of 0 cosigners'],
  [
    'with an address without a port',
    GOOD.replace('10.0.0.2:2222', '10.0.0.2'),
    '"p2pAddr": "tcp://10.0.0.2" is not host:port',
  ],
  [
    'with a node of another scheme',
    GOOD.replace('tcp://10.0.0.9', 'grpc://10.0.0.9'),
    '"privValAddr": a node cannot be reached over "grpc"',
  ],
  ['cut short', GOOD.slice(0, 150), 'OLD_CONFIG_INVALID'],
  ['TOML', 'signMode = "threshold"\n', 'must be keys with values'],
  ['empty', '', 'it is empty'],
])('refuses a configuration %s', (_name, yaml, problem) => {
  expect(refusal(yaml)).toContain(problem);
});
