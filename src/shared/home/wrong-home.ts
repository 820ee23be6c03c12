import { promises as fsp } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HekateError } from '../errors.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { COSIGNER_CONFIG_FILE, SENTRY_LINK_CONFIG_FILE } from './paths.js';

/** What each kind of home is, and the command for it. */
const KINDS = {
  [COSIGNER_CONFIG_FILE]: { what: 'a cosigner', command: 'hekate cosigner start' },
  [SENTRY_LINK_CONFIG_FILE]: { what: 'a sentry-link', command: 'hekate sentry-link start' },
} as const;
type ConfigFile = keyof typeof KINDS;
const CONFIG_FILES = [COSIGNER_CONFIG_FILE, SENTRY_LINK_CONFIG_FILE] as const;

/** NO_HOME for a configuration file that is not there, saying what the folder is instead and which command or folder is right. */
export async function noHome(file: string): Promise<HekateError> {
  const [home, wanted] = [dirname(file), basename(file)];
  const entries = await entriesOf(home);
  if (entries === undefined) return new HekateError('NO_HOME', `there is no folder ${home}`);
  const other = isConfigFile(wanted) ? homeOfOther(home, entries, wanted) : undefined;
  if (other !== undefined) return other;
  const below = await homesIn(home, entries, wanted);
  if (below.length === 0) return new HekateError('NO_HOME', `there is no ${file}`);
  return new HekateError('NO_HOME', `${home} is no home but holds some: ${below.join(', ')}`, {
    fix: `give one of them, as in ${join(home, below[0] ?? '')}`,
  });
}

/** NO_HOME for a folder that is no home and holds none, as far as `configFiles` make one. */
export async function noHomes(folder: string, configFiles: readonly string[]): Promise<HekateError> {
  const entries = await entriesOf(folder);
  if (entries === undefined) return new HekateError('NO_HOME', `there is no folder ${folder}`);
  const [wanted, more] = configFiles;
  const other =
    wanted !== undefined && more === undefined && isConfigFile(wanted)
      ? homeOfOther(folder, entries, wanted)
      : undefined;
  const problem = `there is no ${configFiles.join(' or ')} in ${folder} or in the folders in it`;
  return other ?? new HekateError('NO_HOME', problem);
}

function homeOfOther(home: string, entries: readonly string[], wanted: ConfigFile): HekateError | undefined {
  const other = CONFIG_FILES.find((name) => name !== wanted && entries.includes(name));
  if (other === undefined) return undefined;
  const { what, command } = KINDS[other];
  const fix = `give the home of ${KINDS[wanted].what}; this one belongs to \`${command} --home ${home}\``;
  return new HekateError('NO_HOME', `${home} is the home of ${what}, not of ${KINDS[wanted].what}`, { fix });
}

/** Undefined when there is no such folder; none when it cannot be looked into. */
async function entriesOf(folder: string): Promise<readonly string[] | undefined> {
  return fsp.readdir(folder).catch((error: unknown) => {
    const code = diskErrorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : [];
  });
}

function isConfigFile(name: string): name is ConfigFile {
  return Object.hasOwn(KINDS, name);
}

async function homesIn(folder: string, entries: readonly string[], configFile: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of entries) {
    const there = await fsp.access(join(folder, name, configFile)).then(
      () => true,
      () => false,
    );
    if (there) found.push(name);
  }
  return found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
