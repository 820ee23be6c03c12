import { formatHostPort, type HostPort } from '../../shared/config/host-port.js';
import { cosignerName, sentryLinkName } from '../../shared/home/paths.js';

interface ClusterShape {
  readonly threshold: number;
  readonly cosigners: readonly HostPort[];
  readonly links: number;
}

/** README of the folder that holds all others. */
export function clusterReadme({ threshold, cosigners, links }: ClusterShape): string {
  const rows = [
    ...cosigners.map((at, i) => [cosignerName(i + 1), `the host reached at ${formatHostPort(at)}`, 'cosigner']),
    ...Array.from({ length: links }, (_, i) => [
      sentryLinkName(i + 1),
      'any host that reaches the cosigners and the node',
      'sentry-link',
    ]),
  ].map(([name, host, kind]) => `| \`${name}\` | ${host} | \`hekate ${kind} start --home ${name}\` |`);
  return `# A hekate cluster: ${threshold} of ${cosigners.length} cosigners sign

| folder | belongs on | start it with |
|---|---|---|
${rows.join('\n')}

The small, usual deployment is one cosigner and one sentry-link on each host. In this order:

1. Install hekate on each host, and copy each folder to its host over a safe channel (\`scp -pr\`), owned by the user that will
   run hekate. Then delete it here. Whoever has ${threshold} of the \`share.key\` files has the validator's key: never leave them
   together.
2. If the key came from a \`priv_validator_key.json\`: the node that used it was stopped before its state was read (if it has
   signed since, start over with \`hekate init\` and its newest state). Now move that file from its host to an offline backup. No
   node and no other signer may ever use it again: two signers of one key are how validators get slashed.
3. Start the cosigners, all of them, each on its host. After every start a cosigner waits until it has heard the others; a
   mere restart of its process does not, where \`/run/hekate\` is kept (systemd: \`RuntimeDirectory=hekate\` and
   \`RuntimeDirectoryPreserve=yes\`; containers: mount that folder of the host).
4. Start the sentry-links. \`hekate status FOLDER\` on each host says which of them leads. They dial the node until it is there.
5. In the node's \`config.toml\` set \`priv_validator_laddr\` to the address that the sentry-links dial, and start the node, the
   last of all: a CometBFT to which no signer comes within 3 s of its start gives up and exits. (It writes a new key file, which
   means nothing; that is usual.)
6. \`hekate status FOLDER\` on each host shows what is connected and signed. Before a host is rebooted, look there that no
   cosigner waits. Keep a backup of each \`share.key\`, each in another
   place.

The folders never have to come together again. A chain more: \`hekate keys split\` deals its key, each host gets its own share and
\`group.json\`, and \`hekate chain add\` puts them into its home. A new TLS identity, or a sentry-link more or less: \`hekate identity\`,
\`hekate sentry-link add\` and \`remove\`, home by home too. The \`state\` of a host must never be replaced by an older copy.

Where the share, the \`group.json\` or the state of one chain is missing or bad, that cosigner halts this chain and signs for the
others. Look at \`hekate status FOLDER\` for each chain: it names what is wrong and the fix, and exits with 1.
`;
}

export function cosignerReadme(id: number, { threshold, cosigners }: ClusterShape): string {
  const name = cosignerName(id);
  return `# ${name} of ${cosigners.length}: holds one share of each key, ${threshold} of them sign

Belongs on the host that sentry-links reach at ${addressOf(cosigners, id)}, and on no other. Start it with

    hekate cosigner start --home ${name}

| file | what it is | secret? | back it up? |
|---|---|---|---|
| \`cosigner.toml\` | configuration | no | yes |
| \`tls/identity.key\` | who this cosigner is | **yes** | yes |
| \`tls/identity.crt\`, \`tls/peers/\` | certificates | no | yes |
| \`chains/<chain>/group.json\` | what is public about the shared key | no | yes |
| \`chains/<chain>/share.key\` | this cosigner's share | **yes** | yes, away from the other shares |
| \`state/\` | the watermark: what was signed last | no | **never** |

**Never copy, restore or share the \`state\` folder.** It is what makes a double signature impossible. A restored one is
older than the truth: the cosigner then waits until it has heard the others, and what nobody remembers can be signed a second
time. When it is lost, stop and read
\`hekate state init --help\`.

What is missing or bad of one chain halts that chain on this cosigner, and no other; \`hekate status\` says why, and what to do.

Never run two processes from copies of this folder.
`;
}

export function sentryLinkReadme(number: number): string {
  return linkReadme(sentryLinkName(number));
}

export function linkReadme(name: string): string {
  return `# ${name}: dials the validator node and asks the cosigners for signatures

Belongs on any host that reaches the cosigners and the node. It holds no part of the validator's key. Start it with

    hekate sentry-link start --home ${name}

| file | what it is | secret? | back it up? |
|---|---|---|---|
| \`sentry-link.toml\` | configuration | no | yes |
| \`tls/identity.key\` | who this sentry-link is to cosigners | **yes** | yes |
| \`tls/identity.crt\`, \`tls/peers/\` | certificates | no | yes |
| \`node-identity.key\` | who this sentry-link is to nodes | **yes** | yes |
| \`chains/<chain>/group.json\` | what is public about the shared key | no | yes |
| \`chains/<chain>/newest-signature.json\` | the last signature it made, to show to cosigners whose host forgot it; it writes it by itself | no | no |

Several sentry-links may run: one leads, the others wait. Never run two from copies of one folder.
`;
}

function addressOf(cosigners: readonly HostPort[], id: number): string {
  const address = cosigners[id - 1];
  return address === undefined ? 'its address' : formatHostPort(address);
}
