import type { PinnedCosigner, PinnedLink } from '../../shared/config/cosigner-config.js';
import { DEFAULT_MAX_HEIGHTS_PER_SECOND } from '../../shared/config/heights-per-second.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../../shared/watermark/rules.js';
import { formatHostPort, type HostPort } from '../../shared/config/host-port.js';
import { quote } from '../home/toml-edit.js';
import type { LinkCosigner } from '../../shared/config/sentry-link-config.js';

/** `prefix`: where it is known. */
function bech32Line(prefix: string | undefined): string {
  if (prefix !== undefined) return `bech32_prefix = ${quote(prefix)} # for the valcons address in the log of a start\n`;
  return `# bech32_prefix = "kira" # if the chain's is not "cosmos": for the valcons address in the log of a start\n`;
}

/** The configuration that init writes. Operators edit it afterwards; later chains are only appended. */
export function cosignerToml(cosigner: {
  readonly id: number;
  readonly count: number;
  readonly listen: HostPort;
  readonly links: readonly PinnedLink[];
  readonly cosigners: readonly PinnedCosigner[];
}): string {
  const links = cosigner.links.map(({ name, pin }) => `[[link]]\nname = ${quote(name)}\npin = ${quote(pin)}\n`);
  const others = cosigner.cosigners.map(({ id, pin }) => `[[cosigner]]\nid = ${id}\npin = ${quote(pin)}\n`);
  return `# hekate cosigner ${cosigner.id} of ${cosigner.count}. Unknown keys are errors; a change needs a restart.
version = 1
id = ${cosigner.id}
# Where sentry-links connect to: an address of this host. "[::]" and "0.0.0.0" are all of them, "[::]" with IPv4 too.
listen = ${quote(formatHostPort(cosigner.listen))}

[log]
level = "info" # debug, info, warn, error
format = "text" # text, json

# The sentry-links that may ask for signatures. A pin is the SHA-256 of a public key; the certificates are in tls/peers.
${links.join('\n')}
# The other cosigners, every one of them: after a start this one waits until it has heard them, and one that poses as a
# sentry-link is refused by name.
${others.join('\n')}`;
}

export function cosignerChainToml(
  chainId: string,
  maxHeightsPerSecond: number = DEFAULT_MAX_HEIGHTS_PER_SECOND,
  bech32Prefix?: string,
): string {
  return `
[[chain]]
id = ${quote(chainId)}
# Refuse requests this many heights above the watermark until an operator raises it (100000 is about a week).
max_height_jump = ${DEFAULT_MAX_HEIGHT_JUMP}
# And not more heights than this a second, for a node that goes up in steps: well above what the chain makes. 0 is no limit.
max_heights_per_second = ${maxHeightsPerSecond}
# After a start it waits until it has heard the others. When one of them is gone for good: sit one height out ("sit-out"),
# or wait for \`hekate state recover\` ("operator").
on_doubt = "sit-out"
${bech32Line(bech32Prefix)}`;
}

export function sentryLinkToml(link: { readonly name: string; readonly cosigners: readonly LinkCosigner[] }): string {
  const cosigners = link.cosigners.map(
    ({ id, address, pin }) =>
      `[[cosigner]]\nid = ${id}\naddress = ${quote(formatHostPort(address))}\npin = ${quote(pin)}\n`,
  );
  return `# hekate ${link.name}. Unknown keys are errors; a change needs a restart.
version = 1
name = ${quote(link.name)}

[log]
level = "info" # debug, info, warn, error
format = "text" # text, json

# [timing]
# lease_ms = 1000 # how long cosigners let this link lead without hearing from it
# sign_deadline_ms = 4000 # how long the node waits for a quorum before it gets an error

# All cosigners. A pin is the SHA-256 of a public key; the certificates are in tls/peers.
${cosigners.join('\n')}`;
}

export function sentryLinkChainToml(chainId: string, nodes: readonly string[], bech32Prefix?: string): string {
  return `
[[chain]]
id = ${quote(chainId)}
# The priv_validator_laddr of the chain's nodes, as seen from here.
nodes = [${nodes.map(quote).join(', ')}]
node_mode = "active" # serve one node until it is lost or stands still; "any": whoever asks first
# node_lost_ms = 3000 # the served node is lost once it has had no connection for so long
# node_still_ms = 5000 # it stands still after twice its usual block time without anything new, no sooner than this
${bech32Line(bech32Prefix)}`;
}
