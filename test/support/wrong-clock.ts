import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/** A wall clock that is wrong, and can be stepped, for processes that are started with `env`. Monotonic time stays true. */
export interface WrongClock {
  readonly env: Readonly<Record<string, string>>;
  /** `hours` off from now on. */
  step(hours: number): void;
}

/** libfaketime where it is installed, which deceives OpenSSL and the kernel's callers too; otherwise Date alone is wrong. */
export function wrongClock(folder: string, name: string): WrongClock {
  const file = join(folder, `${name}.clock`);
  const library = libfaketime();
  if (library === undefined) {
    const shim = join(folder, 'wrong-date.mjs');
    writeFileSync(shim, WRONG_DATE);
    return {
      env: { NODE_OPTIONS: `--import=${shim}`, WRONG_CLOCK_FILE: file },
      step: (hours) => writeFileSync(file, String(hours)),
    };
  }
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    step: (hours) => writeFileSync(file, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h\n`),
  };
}

function libfaketime(): string | undefined {
  if (!existsSync(LIBRARIES)) return undefined;
  const paths = readdirSync(LIBRARIES).map((entry) => join(LIBRARIES, entry, 'faketime', 'libfaketime.so.1'));
  return paths.find((path) => existsSync(path));
}

const WRONG_DATE = `
import { readFileSync } from 'node:fs';
const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(process.env.WRONG_CLOCK_FILE, 'utf8')) * 3_600_000;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }
  static now() {
    return now();
  }
};
`;
