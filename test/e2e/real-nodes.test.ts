import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { COMET_VERSIONS, EXTENSIONS_FROM_HEIGHT, hasExtensions, needsNode } from '../support/comet-home.js';
import { checkCommits, extensionHeight } from '../support/commit-check.js';
import { startSignedNode } from '../support/signed-node.js';

const BLOCKS = 200;
const cleanup = cleanupAfterEach();

describe.each(COMET_VERSIONS)('a single validator on CometBFT %s, signed by 2 of 3', (version) => {
  // A node with extensions makes no block without a valid extension signature: it panics, or rejects its own precommit.
  it.for(['tcp', 'unix'] as const)(`makes ${BLOCKS} blocks at zero timeouts over %s`, async (privval, context) => {
    needsNode(context, version);
    const chainId = `real-${version}-${privval}`;
    const { node } = await startSignedNode(cleanup, { version, chainId, privval, voteExtensions: true });
    await node.waitForHeight(BLOCKS + 1, 60_000);
    expect(await extensionHeight(node.rpc)).toBe(hasExtensions(version) ? EXTENSIONS_FROM_HEIGHT : 0);
    const { rpc, publicKey, validator } = node;
    const { address } = validator;
    const report = await checkCommits({ rpc, chainId, address, publicKey, from: 1, to: BLOCKS });
    expect(report).toEqual({ checked: BLOCKS, problems: [] });
    expect(node.logLines('CONSENSUS FAILURE')).toEqual([]);
  });
});
