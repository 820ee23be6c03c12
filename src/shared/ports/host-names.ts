import { ADDRCONFIG, promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { must } from '../invariant.js';
import { systemClock, type Clock, type Timer } from './clock.js';

/** Asks the system for all addresses of a name; it may take as long as it likes. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** ENOTFOUND: there is no such name. EAI_AGAIN: the name servers could not be asked, or failed. ETIMEOUT: no answer in time. */
export type LookupCode = 'ENOTFOUND' | 'EAI_AGAIN' | 'ETIMEOUT';

export class LookupError extends Error {
  constructor(
    readonly code: LookupCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface HostAddresses {
  /** At least one. */
  readonly addresses: readonly LookupAddress[];
  /** Why they are those of an earlier look-up, while there is trouble with this one. */
  readonly trouble: LookupError | undefined;
}

/** With the second that connecting takes, below the 3 s after which a dial counts as accepted. */
export const LOOKUP_LIMIT_MS = 1_500;
/** Where addresses are known, newer ones are waited for no longer. */
const KNOWN_WAIT_MS = 100;
/** Names that are not dialled now, but may be any day, are looked up so often. */
const KEEP_EVERY_MS = 60_000;
/** A look-up holds a thread of libuv's pool, which has four and carries file access too. */
const MAX_AT_ONCE = 2;

type Found = readonly LookupAddress[] | LookupError;

interface Lookup {
  readonly found: Promise<Found>;
  readonly sinceMs: number;
}

interface Name {
  /** One that hangs is not joined by a second. */
  lookup: Lookup | undefined;
  known: readonly LookupAddress[] | undefined;
}

/**
 * The addresses of host names that are dialled again and again. Each name is looked up once at a time, all of them with a limit,
 * and what was found last is used while the name servers are in trouble.
 */
export class HostNames {
  readonly #resolve: Resolve;
  readonly #clock: Clock;
  /** The names are those of the configuration. */
  readonly #names = new Map<string, Name>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(resolve: Resolve, clock: Clock) {
    this.#resolve = resolve;
    this.#clock = clock;
  }

  /** Of a host that is no address already (see `isName`). Rejects with a LookupError, within LOOKUP_LIMIT_MS. */
  async addresses(host: string): Promise<HostAddresses> {
    const name = this.#name(host);
    const lookup = (name.lookup ??= this.#begin(host, name));
    const found = await this.#within(name.known === undefined ? LOOKUP_LIMIT_MS : KNOWN_WAIT_MS, lookup);
    if (found !== undefined && !(found instanceof LookupError)) return { addresses: found, trouble: undefined };
    // That there is no such name is an answer.
    if (found?.code === 'ENOTFOUND') throw found;
    // One that was late already is not another kind of trouble once it fails.
    const slow = this.#clock.nowMs() - lookup.sinceMs >= LOOKUP_LIMIT_MS;
    const trouble = slow ? late(host) : found;
    if (name.known === undefined) throw trouble ?? late(host);
    return { addresses: name.known, trouble };
  }

  /**
   * Looks these up now and every minute, so that their last addresses are known on the day on which they are dialled and the name
   * servers are in trouble. Returns how to end it.
   */
  keepKnown(hosts: readonly string[]): () => void {
    let timer: Timer | undefined;
    const look = (): void => {
      for (const host of hosts) void this.addresses(host).catch(() => undefined);
      timer = this.#clock.schedule(KEEP_EVERY_MS, look);
    };
    if (hosts.length > 0) look();
    return () => timer?.cancel();
  }

  #name(host: string): Name {
    const known = this.#names.get(host);
    if (known !== undefined) return known;
    const name: Name = { lookup: undefined, known: undefined };
    this.#names.set(host, name);
    return name;
  }

  #begin(host: string, name: Name): Lookup {
    const found = this.#turn()
      .then(() => this.#resolve(host))
      .then(
        (addresses): Found =>
          addresses.length > 0 ? addresses : new LookupError('ENOTFOUND', `${host} has no address`),
        (error: unknown): Found => lookupError(host, error),
      )
      .then((result) => {
        name.lookup = undefined;
        if (!(result instanceof LookupError)) name.known = result;
        else if (result.code === 'ENOTFOUND') name.known = undefined;
        this.#pass();
        return result;
      });
    return { found, sinceMs: this.#clock.nowMs() };
  }

  #turn(): Promise<void> {
    if (this.#running >= MAX_AT_ONCE) return new Promise((resolve) => this.#queue.push(resolve));
    this.#running++;
    return Promise.resolve();
  }

  /** Its turn goes to the next that waits for one. */
  #pass(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  /** Undefined when it takes longer. */
  #within(ms: number, { found }: Lookup): Promise<Found | undefined> {
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(ms, () => resolve(undefined));
      void found.then((result) => {
        timer.cancel();
        resolve(result);
      });
    });
  }
}

/** Whether it has to be looked up. */
export function isName(host: string): boolean {
  return isIP(host) === 0;
}

/** For the `lookup` of a socket: answers with what was found already. */
export function answering(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true) return callback(null, [...addresses]);
    const { address, family } = must(addresses[0], 'a name that was found has an address');
    callback(null, address, family);
  };
}

/** As sockets ask by themselves: addresses of the families that this host has, in the order that the system gives. */
const systemResolve: Resolve = (name) => dns.lookup(name, { all: true, hints: ADDRCONFIG, verbatim: true });

/** Of this process. */
export const systemHostNames: HostNames = new HostNames(systemResolve, systemClock);

function late(host: string): LookupError {
  return new LookupError('ETIMEOUT', `the name ${host} was not found within ${LOOKUP_LIMIT_MS} ms`);
}

function lookupError(host: string, error: unknown): LookupError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOTFOUND') return new LookupError('ENOTFOUND', `there is no host named ${host}`, { cause: error });
  return new LookupError('EAI_AGAIN', `the name ${host} could not be looked up (${code})`, { cause: error });
}
