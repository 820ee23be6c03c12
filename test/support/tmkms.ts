import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestProcess } from './processes.js';
import { PROJECT_ROOT } from './project.js';

/** The same as in scripts/fetch-nodes.mjs, which builds it. */
export const TMKMS_VERSION = '0.15.0';
const BINARY = join(PROJECT_ROOT, '.cache', 'bin', `tmkms-${TMKMS_VERSION}`);

/** Skips the test, and says why, when TMKMS was not built. In CI that is a failure: the test goes on without it. */
export function needsTmkms(context: { skip(note: string): void }): void {
  if (existsSync(BINARY) || process.env['CI'] !== undefined) return;
  context.skip(`no TMKMS ${TMKMS_VERSION} in .cache/bin; 'node scripts/fetch-nodes.mjs' builds it (needs cargo)`);
}

export interface TmkmsOptions {
  /** Everything of it is below: tmkms.toml, secrets/, state/. */
  readonly folder: string;
  readonly chainId: string;
  readonly nodeAddress: string;
  /** The priv_validator_key.json that is imported. */
  readonly keyFile: string;
}

/** A real TMKMS with a softsign key, set up as its README says. */
export class Tmkms {
  readonly config: string;
  readonly keyFile: string;
  readonly stateFile: string;
  readonly logFile: string;
  private process: TestProcess | undefined;

  private constructor({ folder, chainId }: TmkmsOptions) {
    this.config = join(folder, 'tmkms.toml');
    this.keyFile = join(folder, 'secrets', 'consensus.key');
    this.stateFile = join(folder, 'state', `${chainId}.json`);
    this.logFile = join(folder, 'tmkms.log');
  }

  static async create(options: TmkmsOptions): Promise<Tmkms> {
    const { folder, chainId, nodeAddress, keyFile } = options;
    const tmkms = new Tmkms(options);
    for (const name of ['secrets', 'state']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    await promisify(execFile)(BINARY, ['softsign', 'import', keyFile, tmkms.keyFile]);
    const identity = join(folder, 'secrets', 'kms-identity.key');
    writeFileSync(identity, randomBytes(32).toString('base64'), { mode: 0o600 });
    const config = `[[chain]]
id = "${chainId}"
key_format = { type = "bech32", account_key_prefix = "kirapub", consensus_key_prefix = "kiravalconspub" }
state_file = "${tmkms.stateFile}"

[[validator]]
chain_id = "${chainId}"
addr = "${nodeAddress}"
secret_key = "${identity}"
protocol_version = "v0.34"
reconnect = true

[[providers.softsign]]
chain_ids = ["${chainId}"]
key_type = "consensus"
path = "${tmkms.keyFile}"
`;
    writeFileSync(tmkms.config, config, { mode: 0o600 });
    return tmkms;
  }

  start(): void {
    const args = ['start', '-c', this.config];
    this.process = new TestProcess({ name: 'tmkms', command: BINARY, args, logFile: this.logFile });
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }
}
