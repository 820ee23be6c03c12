import { createNetwork, type CometNetworkOptions, type CometNode } from './comet-node.js';
import type { Cleanup } from './cleanup.js';
import { HekateCluster, type ClusterOptions } from './hekate-cluster.js';
import { PrivvalRecorder } from './privval-recorder.js';
import { tailOf } from './processes.js';
import { TestFolder } from './project.js';

export interface SignedNode {
  /** The validator that hekate signs for. */
  readonly node: CometNode;
  /** All validators, `node` first. */
  readonly network: readonly CometNode[];
  readonly cluster: HekateCluster;
  readonly recorder: PrivvalRecorder | undefined;
}

export interface SignedNodeOptions extends Omit<CometNetworkOptions, 'folder' | 'privval'> {
  /** `recorded`: over a unix socket through a recorder that writes down every signature. */
  readonly privval: 'tcp' | 'unix' | 'recorded';
  readonly cluster?: Pick<ClusterOptions, 'cosigners' | 'threshold' | 'links'>;
}

/** Starts a real node (or network) and a cluster that signs for its first validator; `cleanup` ends and removes it all. */
export async function startSignedNode(cleanup: Cleanup, options: SignedNodeOptions): Promise<SignedNode> {
  const folder = new TestFolder('e2e');
  cleanup.add(() => folder.remove());
  const privval = options.privval === 'tcp' ? 'tcp' : 'unix';
  const network = await createNetwork({ ...options, privval, folder: folder.path });
  const [node] = network;
  if (!node?.privvalAddress || !node.key) throw new Error('a remote-signed node has an address and a key');

  let recorder: PrivvalRecorder | undefined;
  if (options.privval === 'recorded') {
    recorder = await PrivvalRecorder.listen(folder.file('recorder.sock'), node.privvalAddress.replace('unix://', ''));
    cleanup.add(() => recorder?.close());
  }
  const cluster = await HekateCluster.create({
    folder: folder.path,
    chainId: options.chainId,
    nodeAddress: recorder?.address ?? node.privvalAddress,
    keyFile: node.key.keyFile,
    ...options.cluster,
  });
  cleanup.add(() => cluster.stop());
  // Nodes end first: one that waits for its signer does not hear SIGTERM.
  cleanup.add(() => Promise.all(network.map((member) => member.stop())));
  cleanup.whenFailed(() => {
    for (const { logFile } of [node, ...cluster.processes]) console.error(`--- ${logFile}\n${tailOf(logFile, 15)}`);
  });
  for (const member of network) member.start();
  await cluster.start();
  return { node, network, cluster, recorder };
}
