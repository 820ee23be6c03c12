import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { PrivvalRecorder } from './privval-recorder.js';
import { TestFolder } from './project.js';

// Messages of CometBFT's privval/msgs_test.go (TestPrivvalVectors), 0.38, and the same vote for another block.
const VOTE_REQUEST =
  '1a81010a7f080210031802224a0a208b01023386c371778ecb6368573e539afc3cc860ec3a2f614e54fe5652f4fc80122608c0843d122072db3d95' +
  '9635dff1bb567bedaa70573392c5159666a3f8caf11e413aac52207a2a0608f49a8ded0532146af1f4111082efb388211bc72c55bcd61e9ac3d538' +
  'd5bb034a09657874656e73696f6e';
const OTHER_BLOCK = VOTE_REQUEST.replace('8b010233', 'ffffffff');
const VOTE_RESPONSE = VOTE_REQUEST.replace('1a', '22');
const REFUSAL = '22250a11220212002a0b088092b8c398feffffff0112100801120c697427732061206572726f72';
const PING = '3a00';
const PONG = '4200';

const folder = new TestFolder('recorder');
let server: Server | undefined;
let node: Socket | undefined;
let recorder: PrivvalRecorder | undefined;
afterEach(async () => {
  node?.destroy();
  await recorder?.close();
  await new Promise((resolve) => server?.close(resolve));
  folder.remove();
});

function delimited(hex: string): Uint8Array {
  const message = Buffer.from(hex, 'hex');
  const length = message.length < 128 ? [message.length] : [(message.length & 0x7f) | 0x80, message.length >> 7];
  return Buffer.concat([Uint8Array.from(length), message]);
}

it('writes down what was signed, refused and lost, and finds a second block at one height, round and step', async () => {
  server = createServer((socket) => (node = socket)).listen(folder.file('node.sock'));
  recorder = await PrivvalRecorder.listen(folder.file('proxy.sock'), folder.file('node.sock'));
  const { records } = recorder;
  const signer = connect(folder.file('proxy.sock'));
  const atNode = await eventually('a connection', 5000, () => node);

  const exchange = async (request: string, response: string, count: number): Promise<void> => {
    atNode.write(delimited(request));
    await eventually('the request', 5000, () => (records.length >= count ? true : undefined));
    signer.write(delimited(response));
    await eventually('the answer', 5000, () =>
      records.every(({ outcome }) => outcome !== 'pending') ? true : undefined,
    );
  };
  await exchange(PING, PONG, 0);
  await exchange(VOTE_REQUEST, VOTE_RESPONSE, 1);
  await exchange(OTHER_BLOCK, REFUSAL, 2);
  expect(recorder.conflicts()).toEqual([]);
  await exchange(OTHER_BLOCK, VOTE_RESPONSE, 3);
  atNode.write(delimited(VOTE_REQUEST));
  await eventually('the last request', 5000, () => (records.length >= 4 ? true : undefined));
  signer.destroy();
  await eventually('the end', 5000, () => (records[3]?.outcome === 'lost' ? true : undefined));

  expect(records.map(({ step, height, round, outcome, error }) => [step, height, round, outcome, error])).toEqual([
    ['Precommit', 3n, 2, 'signed', ''],
    ['Precommit', 3n, 2, 'refused', "it's a error"],
    ['Precommit', 3n, 2, 'signed', ''],
    ['Precommit', 3n, 2, 'lost', ''],
  ]);
  expect(recorder.connections).toBe(1);
  expect(recorder.conflicts()).toHaveLength(1);
  expect(recorder.conflicts()[0]).toMatch(/^Precommit 3\/2: 0a208b01.* and 0a20ffff/);
});
