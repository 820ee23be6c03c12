const LOST_SHARE =
  'bring back the share.key of this cosigner; the others sign without it while enough of them are left, and a new dealing of ' +
  'the whole key (`hekate keys split`) takes the place of all shares at once';

const NEW_STATE =
  'run `hekate state init` with a height at or above everything this key ever signed, and start this cosigner: it waits until ' +
  'it has heard the others';

const NOTHING_BEHIND =
  'start the node or set its priv_validator_laddr: a published Docker port (docker-proxy) accepts connections and drops ' +
  'them at once while nothing listens behind it';

const DNS_TROUBLE =
  'see that the name servers of this host (/etc/resolv.conf) answer, or write the IP address; an address that was found before ' +
  'is dialled meanwhile';

/** Every error code with the fix that usually applies. Codes are stable: logs, metric labels and docs/errors.md use them. */
export const FIXES = {
  // configuration and command line
  CONFIG_INVALID: 'correct the file at the line and column given',
  USAGE: 'see --help',
  // said by bin/node-version.cjs
  NODE_TOO_OLD:
    'install the current LTS release from https://nodejs.org or with a version manager (nvm install --lts), and run the ' +
    'command again with it',
  // keys, shares and the folders that init makes
  KEY_INVALID: 'give the priv_validator_key.json of the validator, as its node wrote it',
  KEY_TYPE_UNSUPPORTED: 'use a validator whose consensus key is Ed25519',
  KEYS_DISAGREE:
    'look at each BAD line: files of one dealing belong together, and each home has a share and a TLS identity of its own',
  SHARE_MISSING: LOST_SHARE,
  SHARE_MODE: 'run chmod 600 on the file, and find out who could have read it',
  SHARE_INVALID: LOST_SHARE,
  SHARE_MISMATCH: 'put back the share.key that was dealt to this cosigner together with this group.json',
  ACCESS_DENIED: 'run it as the user that owns the folder, or give the folder to the user that runs it',
  HOME_TOO_OPEN:
    'take away what others may do with it: chmod go-w, and its owner must be the user that runs hekate, or root',
  GROUP_INVALID: 'copy the group.json of this chain from another process of the cluster: it is the same everywhere',
  IDENTITY_INVALID: 'bring the file back, or make new folders with `hekate init`',
  THRESHOLD_UNSAFE: 'take 2-of-3, 3-of-5, 4-of-7, …: more than half, at most all, 32 at most',
  WATERMARK_START_UNSURE:
    'give the state file that the old signer used last, or --height with a height at or above everything this key signed; ' +
    'add --never-signed only if it certainly never signed on this chain',
  WATERMARK_START_CONTRADICTED:
    'start at or above what was signed: give --height, or the state file that the old signer used last',
  WATERMARK_START_MISSING:
    'stop the old signer for good and add --state with its priv_validator_state.json, or --height with a height at or above ' +
    'everything it signed, or --never-signed if that is certain',
  CHAIN_EXISTS: 'choose another chain id or another folder; a chain is never dealt twice into one cluster',
  CLUSTER_MISMATCH: 'run init where the folders of all processes are together as it made them',
  CONFIG_NOT_EDITED:
    'make the change by hand: one [[…]] section for each link, cosigner and chain, each key on a line of its own',
  ROTATION_STEP: '`hekate identity show` says how far the rotation is; docs/identities.md has its steps',
  PEER_UNKNOWN:
    'give --name as the configuration of that home has it; a sentry-link that is new there: `hekate sentry-link add`',
  PEER_EXISTS: 'see with `hekate identity show` who has it; each process has a name and an identity of its own',
  LAST_LINK: 'add the new sentry-link first; without one nothing can ask this cosigner',
  DIR_NOT_EMPTY: 'choose a folder that does not exist yet, or one that `hekate init` made',
  INIT_RUNNING: 'wait until it is done',
  WRITE_FAILED: 'check the disk and the permissions of the folder; nothing was changed',
  REPLACE_REFUSED: 'read what it risks in `hekate state init --help`',
  // moving in from another signer
  OLD_CONFIG_INVALID:
    'correct the configuration of the old signer at the line and column given; it would not start with it either',
  KEY_CANNOT_LEAVE:
    "give the backup that the key was imported from, with `hekate migrate file`; or give a YubiHSM's exported and decrypted key " +
    '(96 bytes in base64) as a softsign key; or, where the chain can exchange the key of a validator, make a new one with ' +
    '`hekate init` and rotate to it; otherwise leave this chain on the device, and choose the others with --chain-id',
  SHARD_INVALID: 'give the CHAIN_shard.json of this host as Horcrux uses it',
  SHARD_POINT_INVALID: 'make the file anew on the host of that shard, and carry it unchanged',
  SHARDS_DISAGREE:
    'bring the shards that Horcrux signs with today, all of one dealing (one `horcrux create-ed25519-shards`), each once',
  SHARDS_TOO_FEW:
    'bring those of more hosts: as many as Horcrux needs for a signature, or all where all homes are written',
  OLD_SIGNER_RUNS:
    'stop the old signer for good (systemctl disable --now, docker rm), wait until its chain has made a block or two without it, ' +
    'and run this again',
  OLD_SIGNER_UNPROVEN:
    'give what can be asked: --rpc with a node of the chain, or the state file on the host where the old signer ran; only where ' +
    'there is neither, --i-stopped-it',
  OLD_STATE_BEHIND:
    'give the state file that the old signer used last; where it is lost, leave it out or move it away, stop the signer, and add ' +
    '--height with a height at or above everything this key signed',
  OLD_STATE_AHEAD: 'give the state file of this chain, and the RPC of a node that is not behind',
  KEY_OF_ANOTHER_VALIDATOR: 'give the key of the validator that is to be moved, or leave out --validator',
  RPC_UNREACHABLE:
    'give the RPC address of a node that runs (port 26657), or leave out --rpc: what it would prove is missing then',
  RPC_INVALID: 'give the RPC address (port 26657) of a CometBFT node that you trust',
  RPC_CHAIN_MISMATCH: 'give the RPC of a node of the chain that is to be moved',
  // sockets and the encrypted connection to a validator node
  SOCKET_RESET: 'see the log of the other side; hekate connects again by itself',
  SOCKET_TIMED_OUT: 'check that the other host is up and that the network between is not dropping packets',
  SOCKET_FAILED: 'see the cause; hekate connects again by itself',
  CHANNEL_QUEUE_FULL: 'the other side does not read what it is sent: check that it is not hung',
  SC_NO_HELLO: 'check that no other signer is connected to the node, and that the address is its priv_validator_laddr',
  SC_EOF_BEFORE_HELLO: NOTHING_BEHIND,
  SC_BAD_HELLO: 'check that the address is the priv_validator_laddr of a CometBFT node, not its p2p, rpc or grpc port',
  SC_REFLECTION: 'check that the address does not lead back to hekate or to an echo service',
  SC_LOW_ORDER_KEY: 'the other side is broken or hostile: check who answers at the address',
  SC_BAD_AUTH: 'check that the address is the priv_validator_laddr of a CometBFT node with ed25519 identities',
  SC_AUTH_FAILED:
    'something between hekate and the node changes the connection, or the other side is broken: check the path',
  SC_BAD_FRAME:
    'something between hekate and the node changes the connection, or the other side is broken: check the path',
  SC_EOF_IN_HANDSHAKE: 'see the log of the node for the reason',
  SC_EOF_IN_FRAME: 'none needed: hekate connects again by itself; see the log of the node if it happens often',
  SC_TIMEOUT: 'check that the node is not overloaded and that the address is its priv_validator_laddr',
  SC_NONCE_EXHAUSTED: 'none needed: hekate connects again by itself',
  // addresses of validator nodes, and dialling them
  NODE_ADDRESS_INVALID: 'write it as tcp://host:port, host:port, [v6]:port or unix:///path',
  NODE_ADDRESS_UNSUPPORTED: 'use tcp://host:port or unix:///path, and the same in the priv_validator_laddr of the node',
  DIAL_REFUSED: 'start the node, and check that its priv_validator_laddr has this address and port',
  DIAL_UNREACHABLE: 'check the route, the VPN and the firewall between this host and the node',
  DIAL_UNKNOWN_HOST: 'check the spelling of the host name, or write the IP address',
  DIAL_DNS_TIMEOUT: DNS_TROUBLE,
  DIAL_DNS_FAILED: DNS_TROUBLE,
  DIAL_SYN_TIMEOUT: 'check that the host is up and that no firewall drops connections to this port',
  DIAL_EOF_BEFORE_HELLO: NOTHING_BEHIND,
  DIAL_SILENT:
    'stop the other signer if one is connected (a node serves one at a time); otherwise check that the node is not hung, that ' +
    'the address is its priv_validator_laddr, and that no proxy between keeps what leads to nobody',
  DIAL_BAD_HELLO: 'check that the address is the priv_validator_laddr of the node, not its p2p, rpc or grpc port',
  DIAL_AUTH:
    'something between hekate and the node changes the connection, or the other side is broken: check the path',
  DIAL_HANDSHAKE: 'see the log of the node; check that it is not overloaded',
  DIAL_NO_SOCKET: 'start the node, and check that its priv_validator_laddr is this path and is mounted here',
  DIAL_NOT_A_SOCKET: 'give the path of the socket that the node creates, as in its priv_validator_laddr',
  DIAL_PERMISSION: 'let the user that runs hekate read and write the socket and enter its folder',
  DIAL_FAILED: 'see the cause; hekate tries again by itself',
  DIAL_DROPPED: 'check the log of the node; if a proxy is between, check that the node behind it is running',
  DIAL_LOST: 'none needed: hekate connects again by itself; see the log of the node if it happens often',
  DIAL_SAME_NODE: 'take one of the two addresses out of the [[chain]] section: a node serves one connection at a time',
  DIAL_IDLE: 'check the network between: a healthy node says something every 3.3 s',
  // what a validator node says, and what is signed
  WIRE_MALFORMED: 'find out what sends these bytes: they are not the protobuf message that belongs here',
  PRIVVAL_MALFORMED: 'check that the address is the priv_validator_laddr of a CometBFT node; see the log of the node',
  PRIVVAL_OVERSIZED: 'check that the address is the priv_validator_laddr of a CometBFT node, not another port of it',
  PRIVVAL_SLOW: 'check the network between; a node sends a request in one piece',
  PRIVVAL_FLOOD: 'check what sits behind the address: a CometBFT node asks one thing at a time',
  REQUEST_INVALID: 'find out what sent this request: no CometBFT node does',
  REQUEST_UNSUPPORTED: 'turn off what asks for it in the node: hekate signs votes, proposals and vote extensions',
  SIGN_BYTES_INVALID: 'find out what made these sign bytes: CometBFT encodes every vote and proposal in one way only',
  // the model node of `hekate dev`, the listener side of privval
  SIGNER_ABSENT:
    'bring back the sentry-links and cosigners: the link that leads dials this node; `hekate status` says who leads, and what ' +
    'is missing',
  SIGNER_SILENT: 'find out why the signer did not answer in time',
  SIGNER_LOST: 'none needed: the node listens again, and the signer dials again',
  SIGNER_ANSWER: 'find out what the signer sent: it is not the answer to what it was asked',
  MODEL_STATE_INVALID: 'start over with `--fresh`, or move the file away',
  // what a cosigner refuses to sign
  DOUBLE_SIGN:
    'find out why two different blocks were asked for at one height, round and step: is a second node running? Where it is not ' +
    'known for which block, the log of that cosigner says why; right after a start it is usual, and the next one is signed',
  HEIGHT_REGRESSION:
    'none needed while a node replays or catches up; otherwise find out which node asks for old heights, or whose watermark ' +
    'is too far up (`hekate status`)',
  WATERMARK_AHEAD:
    'none needed if the chain soon gets there; if the watermark was raised by mistake, stop that cosigner and make it anew ' +
    'with `hekate state init … --replace --i-accept-that-this-can-double-sign`, at or above everything this key ever signed',
  ROUND_REGRESSION: 'none needed while a node replays or catches up; otherwise find out which node asks for old rounds',
  STEP_REGRESSION: 'none needed while a node replays or catches up; otherwise find out which node asks for old steps',
  PROPOSAL_TIMESTAMP: 'none needed: the node proposes again in its next round',
  HEIGHT_JUMP:
    'check that the node is on the right chain; if it is, stop the cosigners that refuse, one after the other, and raise the ' +
    'watermark of each with `hekate state init … --replace`',
  HEIGHT_PACE:
    'check that the node is on the right chain; if it is, wait, or raise max_heights_per_second in cosigner.toml to well ' +
    'above what the chain makes, and restart',
  PROOF_INVALID: 'look at that sentry-link, or at the file that it keeps: no signature of this key is like that',
  // the state file of a cosigner
  STATE_MISSING: `if it is lost, ${NEW_STATE}`,
  STATE_TRUNCATED: `move the file away and ${NEW_STATE}`,
  STATE_CORRUPT: `check the disk; move the file away and ${NEW_STATE}`,
  STATE_ROLLED_BACK:
    'find out who put the old copy back, or whether the disk loses writes; this cosigner counts from the higher place and waits ' +
    'until it has heard the others',
  RUN_FOLDER_UNUSABLE:
    'give the cosigner a run-time folder of its own on a tmpfs (systemd: RuntimeDirectory=hekate and ' +
    'RuntimeDirectoryPreserve=yes; a container: mount /run/hekate of its host); without one every start waits for the others',
  RUN_FOLDER_MOVED:
    'remove the file that is named, or start the cosigner with the run-time folder that it had before; two folders must ' +
    'never take turns',
  STATE_FOREIGN: `put the state of this chain and key there; if there is none, move this file away and ${NEW_STATE}`,
  STATE_VERSION: 'run the version of hekate that wrote it, or a newer one; do not run `hekate state init`',
  STATE_LOCKED: 'stop the other cosigner that runs on this state; two of them must never run',
  STATE_LOCK_UNSUPPORTED:
    'reinstall the packages with `npm ci`, on Linux with glibc (or macOS), where the file lock works; see the cause',
  STATE_MODE: 'chmod 600 the state file, and find out who could have changed it',
  STATE_NOT_WRITABLE: 'make the file and its file system writable for the user that runs hekate',
  STATE_UNREADABLE:
    'check the disk; where something else than a plain file is in the place of the state, move that away and bring the state back',
  STATE_EXISTS: 'use it as it is; to start over, stop the cosigner and move the file away first',
  STATE_WRITE_FAILED: 'check the disk (full, read-only, failing), then restart the cosigner, or run the command again',
  STATE_CLOSED: 'none needed: the cosigner is stopping',
  STATE_IMPORT_INVALID: 'give the priv_validator_state.json of the signer that was used last, or a height',
  // signing: a cosigner's or a coordinator's refusal
  WAITING:
    'none needed where the other cosigners come back: it goes on by itself once it has heard enough of them; if one is gone ' +
    'for good, see `hekate state recover --help`',
  NOT_WAITING: 'none needed: this cosigner signs; stop it and use `hekate state init --replace` to raise its watermark',
  PLACE_NOT_BELIEVED:
    'look at that cosigner: it claims a place that this chain cannot have reached; where the chain has, show it by a ' +
    'sentry-link that has signed since',
  ANSWER_INVALID:
    'look at the sentry-link that brought it and at the cosigner that it names: its signature does not hold',
  NONCE_UNKNOWN: 'none needed: the coordinator asks again with fresh nonces',
  SIGNERS_INVALID:
    'check with `hekate keys verify` and the folders of all processes that they have the same group.json for this chain',
  BUSY: 'find out who sends so many requests: a node asks one at a time',
  TERM_OLD: 'none needed: whoever leads asks that cosigner for its lease by itself; `hekate status` names it',
  WRONG_CHAIN: 'check the chain id of the node and of the [[chain]] section',
  EXTENSION_NOT_ALLOWED: 'find out what sent this request: CometBFT extends precommits for a block only',
  NODE_NOT_SERVED: 'none needed: this chain has several nodes, and another one is being served',
  NODE_UNKNOWN: 'name one of the nodes that `hekate status` shows for this sentry-link',
  NODE_NOT_CONNECTED: 'start that node, or see with `hekate status` why it is not connected, and name it again then',
  NODE_ALL_SERVED: 'none needed: with node_mode = "any" every node is served; to serve one of them write "active"',
  NOT_LEADER:
    'none needed if another sentry-link leads within a second or two; if not, `hekate status` says why none does',
  LINK_NOT_READY:
    'name one that is ready (`hekate leader show`); one that is not has to run and to reach as many cosigners as a signature takes',
  HANDOVER_FAILED:
    'see with `hekate leader show` who leads, and in the log of the other sentry-link why it does not; this one leads again by itself',
  QUORUM_LOST: 'bring cosigners back: `hekate status` shows which are missing, and why',
  NO_LEADER:
    'none needed for the first seconds: a sentry-link leads as soon as it reaches as many cosigners as a ' +
    'signature takes; if none does, see the logs of the sentry-links',
  NO_LINK: 'start a sentry-link; if one runs, its log says why it does not reach this cosigner',
  NO_NODE: 'start the node with the priv_validator_laddr that the sentry-links dial',
  COSIGNER_BAD:
    'bring back the share.key and group.json of the dealing that the others have, if that cosigner has others ' +
    '(`hekate keys verify` with the folders of all names it); otherwise look at its memory and its binary. It is tried ' +
    'again within a minute',
  GROUP_MISMATCH: 'give that cosigner the share that belongs to this group.json (`hekate keys verify`)',
  // FROST (RFC 9591): points, shares and signer lists that do not hold
  FROST_SIGNERS_INVALID: 'find out who sends such signer lists: no hekate sentry-link does',
  FROST_COMMITMENT_FOREIGN: 'none needed: the coordinator asks again with fresh nonces',
  FROST_NONCE_SPENT: 'none needed: the coordinator asks again with fresh nonces',
  FROST_POINT_INVALID: 'find out which cosigner sent it: it is broken or hostile',
  FROST_SHARE_INVALID: 'find out which cosigner sent it: it is broken or hostile',
  FROST_BACKEND_UNAVAILABLE: 'reinstall the packages with `npm ci`; see the cause',
  INTERNAL: 'report it with the log lines around it',
  // the TLS stream between sentry-links and cosigners
  TRANSPORT_MALFORMED: 'run the same version of hekate on both sides; if it is the same, report it',
  PROTOCOL_OLD: 'upgrade the process that is named to the release that the others run, and start it again',
  TLS_KEY_MODE: 'chmod 600 the key file; if others could have read it, make a new identity and pin that',
  TLS_IDENTITY_MISSING: 'put back the tls folder that `hekate init` made for this process',
  TLS_IDENTITY_FOREIGN:
    'put back the identity.crt and identity.key that were made for this home; no two processes have the same',
  TLS_IDENTITY_INVALID:
    'put back the certificate and the key that were made for this process, both of them; where `hekate identity switch` was ' +
    'interrupted, run it again',
  TLS_PIN_MISMATCH: 'put the certificate of that peer there, or correct its pin',
  TLS_UNPINNED:
    'if this is a sentry-link of yours, add its certificate and pin; otherwise find out who dials this port',
  TLS_HANDSHAKE: 'find out who dials this port: hekate speaks TLS 1.3 and HTTP/2 there, nothing else',
  TLS_WRONG_ROLE:
    'give each process its own identity, and correct the cosigner.toml where the pins of the two were exchanged: a cosigner ' +
    'must not act as a sentry-link',
  TLS_WRONG_PEER: 'check the addresses and pins of the [[cosigner]] sections: another process answers there',
  TLS_REFUSED: 'check that this sentry-link is pinned in the configuration of that cosigner, then see its log',
  PORT_IN_USE: 'stop the other process on that port, or change `listen`',
  LISTEN_NOT_YET:
    'none needed if it comes up later (an interface, a tunnel, a name server): it is tried every second; otherwise set `listen` to an address of this host',
  LISTEN_FAILED: 'set `listen` to an address of this host and a port that this user may use',
  LINK_REPLACED:
    'stop one of the two processes that run with the identity of this sentry-link (copies of one home): each needs a home ' +
    'of its own, as `hekate init` made it',
  LINK_SILENT: 'check that the sentry-link is not hung and that the network between is not dropping packets',
  LINK_QUEUE_FULL: 'check that the sentry-link is not hung: it does not read what it is sent',
  LINK_CLOSED: 'none needed: the sentry-link connects again by itself while it runs',
  PEER_REFUSED: 'start the cosigner, and check the port in its address',
  PEER_TIMEOUT: 'check that the host of the cosigner is up and that no firewall drops connections to this port',
  PEER_UNREACHABLE: 'check the route, the VPN and the firewall between this host and the cosigner',
  PEER_UNKNOWN_HOST: 'check the spelling of the host name, or write the IP address',
  PEER_DNS_TIMEOUT: DNS_TROUBLE,
  PEER_DNS_FAILED: DNS_TROUBLE,
  PEER_DROPPED: 'see the log of the cosigner; if a proxy is between, check that the cosigner behind it is running',
  PEER_NOT_COSIGNER: 'check the address: what answers there is no cosigner of hekate',
  PEER_SILENT: 'check that the cosigner is not hung and that the network between is not dropping packets',
  PEER_QUEUE_FULL: 'check that the cosigner is not hung: it does not read what it is sent',
  PEER_CLOSED: 'start the cosigner again if it was stopped; the sentry-link connects again by itself',
  PEER_FAILED: 'see the cause; hekate connects again by itself',
  // processes and their homes
  FILE_VERSION: 'run the version of hekate that wrote it, or a newer one',
  SYSTEM_ERROR: 'see the cause: it is what the operating system answered',
  DEV_MISMATCH:
    'leave the options out to go on with it, or choose another folder with --dir; --fresh starts over, but not where a key ' +
    'was given',
  DEV_FOREIGN:
    'it was not made by `hekate dev`, or that was killed before it was done: look at what is there, and remove it by hand if ' +
    'it is of no use, or choose another folder with --dir',
  DEV_FRESH_REFUSED:
    'go on without --fresh, or choose another folder with --dir; if what is there may really go, remove it by hand',
  DEV_INIT_FAILED:
    'see the cause, and run it again; where the process that makes the cluster is killed each time, give this machine more ' +
    'memory (dmesg tells)',
  DEV_RUNNING:
    'go on with the one that runs (`hekate dev status` shows it), or end it first; a second one needs a folder of its own, --dir',
  DEV_PROCESS_FAILED:
    'see the cause; started by hand, with the home that is named, the process says it again: `hekate cosigner start --home …`',
  NOT_RUNNING: 'start it: `hekate cosigner start --home …` or `hekate sentry-link start --home …`',
  PROCESS_SILENT:
    'see whether the process hangs, and what it did with `hekate status` and its log: what it was asked for may be done yet',
  COMMAND_INVALID: 'write it as {"request":"status"}: one JSON object a line, of 4,096 bytes at most',
  COMMAND_UNKNOWN: 'use the hekate of the release that the process runs (`hekate status` names it)',
  STATUS_UNAVAILABLE:
    'none needed, hekate works without it; for `hekate status`, move away what is in the place of status.sock in the home, ' +
    'and let the user that runs hekate write there and to the folder for temporary files; then start the process again',
  NO_HOME: 'give a folder that `hekate init` made, or the one that holds them',
  HOME_NOT_WRITABLE: 'make the folder and its file system writable for the user that runs hekate',
  DEBUGGER_OPEN:
    'start it without --inspect, also in NODE_OPTIONS: who reaches the debugger of a process has every secret in it',
  LOOP_STOOD_STILL:
    'none needed where it was stopped by hand; otherwise see what held it up: a debugger or SIGSTOP, a host without CPU time to ' +
    'give, a disk that hangs; if it comes again without any of these, report it with its log',
  HOME_LOCKED: 'stop the other process that uses this home; two must never share it',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof FIXES;

/** Whether a text from elsewhere is one of our codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(FIXES, text);
}
