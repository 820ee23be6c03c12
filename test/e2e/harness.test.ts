import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { checkCommits, extensionHeight, type CommitCheck } from '../support/commit-check.js';
import { COMET_VERSIONS, EXTENSIONS_FROM_HEIGHT, hasExtensions, needsNode } from '../support/comet-home.js';
import { createSingleNode, type CometNode } from '../support/comet-node.js';
import { TestFolder } from '../support/project.js';

// The harness itself, on nodes that sign by themselves: a check that a good chain passes and a wrong expectation does not.
const cleanup = cleanupAfterEach();
const CHAIN_ID = 'harness-1';

async function nodeWithBlocks(version: (typeof COMET_VERSIONS)[number], blocks: number): Promise<CometNode> {
  const folder = new TestFolder('harness');
  cleanup.add(() => folder.remove());
  const node = await createSingleNode({
    version,
    folder: folder.path,
    chainId: CHAIN_ID,
    privval: 'file',
    voteExtensions: true,
  });
  cleanup.add(() => node.stop());
  node.start();
  await node.waitForHeight(blocks + 1, 20_000);
  return node;
}

describe.each(COMET_VERSIONS)('CometBFT %s with its own key file', (version) => {
  it('makes blocks that pass the check, and none that pass a wrong one', async (context) => {
    needsNode(context, version);
    const node = await nodeWithBlocks(version, 20);
    const check: CommitCheck = {
      rpc: node.rpc,
      chainId: CHAIN_ID,
      address: node.validator.address,
      publicKey: node.publicKey,
      from: 1,
      to: 20,
    };
    expect(await checkCommits(check)).toEqual({ checked: 20, problems: [] });
    expect(await extensionHeight(node.rpc)).toBe(hasExtensions(version) ? EXTENSIONS_FROM_HEIGHT : 0);

    const wrong: readonly [string, Partial<CommitCheck>, string][] = [
      ['chain id', { chainId: 'other-1' }, 'does not verify'],
      ['address', { address: '00'.repeat(20) }, 'missing'],
    ];
    for (const [what, change, problem] of wrong) {
      const report = await checkCommits({ ...check, ...change, to: 3 });
      expect(report.checked, what).toBe(0);
      expect(report.problems, what).toHaveLength(3);
      expect(report.problems[0], what).toContain(problem);
    }
  });
});
