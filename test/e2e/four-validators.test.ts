import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { needsNode } from '../support/comet-home.js';
import { checkCommits } from '../support/commit-check.js';
import { startSignedNode } from '../support/signed-node.js';

const HEIGHTS = 50;
/** While the four find each other, a proposal may come so late that one of them votes nil. */
const SETTLED = 10;
const NIL_AT_MOST = 10;
const cleanup = cleanupAfterEach();

describe.each(['v0.37.2', 'v0.40.0'] as const)(
  'four validators on CometBFT %s, the first signed by 2 of 3',
  (version) => {
    it(`has our precommit in every commit of ${HEIGHTS} heights`, async (context) => {
      needsNode(context, version);
      const chainId = `four-${version}`;
      const { node, network } = await startSignedNode(cleanup, {
        version,
        chainId,
        privval: 'tcp',
        voteExtensions: true,
        validators: 4,
        // Three of four are enough for a block, so the others give a vote that is late half a second.
        timeoutCommit: '500ms',
      });
      const started = await Promise.all(network.map((member) => member.waitForHeight(SETTLED, 60_000)));
      const from = Math.max(...started) + 1;
      const to = from + HEIGHTS - 1;
      await node.waitForHeight(to + 1, 120_000);
      const { rpc, publicKey, validator } = node;
      const { address } = validator;
      const report = await checkCommits({ rpc, chainId, address, publicKey, from, to, nilAtMost: NIL_AT_MOST });
      expect(report).toEqual({ checked: HEIGHTS, problems: [] });
    });
  },
);
