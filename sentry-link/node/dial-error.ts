import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError, isHekateError, messageOf, type ErrorOptions } from '../../src/shared/errors.js';
import type { NodeAddress } from '../../src/shared/config/node-address.js';
import { LOOKUP_LIMIT_MS } from '../../src/shared/ports/host-names.js';
import { systemFix } from '../../src/shared/system-error.js';

export type DialCode = Extract<ErrorCode, `DIAL_${string}`>;
export type DialError = HekateError<DialCode>;

const BY_ERRNO: Readonly<Record<string, { readonly code: DialCode; readonly what: string }>> = {
  ECONNREFUSED: { code: 'DIAL_REFUSED', what: 'nothing listens there' },
  EHOSTUNREACH: { code: 'DIAL_UNREACHABLE', what: 'there is no route to the host' },
  ENETUNREACH: { code: 'DIAL_UNREACHABLE', what: 'there is no route to the network' },
  EHOSTDOWN: { code: 'DIAL_UNREACHABLE', what: 'the host is down' },
  ENETDOWN: { code: 'DIAL_UNREACHABLE', what: 'the network is down' },
  EADDRNOTAVAIL: { code: 'DIAL_UNREACHABLE', what: 'this host has no address that could reach it' },
  ENOTFOUND: { code: 'DIAL_UNKNOWN_HOST', what: 'the host name is not known' },
  EAI_AGAIN: { code: 'DIAL_DNS_FAILED', what: 'its name could not be looked up' },
  ETIMEOUT: { code: 'DIAL_DNS_TIMEOUT', what: `its name was not found within ${LOOKUP_LIMIT_MS} ms` },
  ETIMEDOUT: { code: 'DIAL_SYN_TIMEOUT', what: 'the host does not answer' },
  ENOENT: { code: 'DIAL_NO_SOCKET', what: 'the socket does not exist' },
  ENOTDIR: { code: 'DIAL_NO_SOCKET', what: 'a part of the path is not a folder' },
  ENOTSOCK: { code: 'DIAL_NOT_A_SOCKET', what: 'the path is not a socket' },
  EPROTOTYPE: { code: 'DIAL_NOT_A_SOCKET', what: 'the path is a socket of another kind' },
  EACCES: { code: 'DIAL_PERMISSION', what: 'the operating system does not permit it' },
  EPERM: { code: 'DIAL_PERMISSION', what: 'the operating system does not permit it' },
  // A listener that is gone before it accepts resets the connection.
  ECONNRESET: { code: 'DIAL_EOF_BEFORE_HELLO', what: 'the connection was dropped at once' },
};

const BY_CODE: Readonly<Partial<Record<ErrorCode, DialCode>>> = {
  SC_NO_HELLO: 'DIAL_SILENT',
  SC_EOF_BEFORE_HELLO: 'DIAL_EOF_BEFORE_HELLO',
  SC_BAD_HELLO: 'DIAL_BAD_HELLO',
  SC_REFLECTION: 'DIAL_BAD_HELLO',
  SC_LOW_ORDER_KEY: 'DIAL_BAD_HELLO',
  SC_BAD_AUTH: 'DIAL_AUTH',
  SC_AUTH_FAILED: 'DIAL_AUTH',
  SC_BAD_FRAME: 'DIAL_AUTH',
  SC_EOF_IN_HANDSHAKE: 'DIAL_HANDSHAKE',
  SC_TIMEOUT: 'DIAL_HANDSHAKE',
};

/** What a failed attempt to connect means, as one of the DIAL_ codes; `error` is an errno error or a HekateError. */
export function classifyDial(error: unknown, address: NodeAddress): DialError {
  if (isHekateError(error)) {
    if (isDialError(error)) return error;
    const known = BY_CODE[error.code];
    if (known !== undefined) return underneath(known, address, '', error);
  }
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : BY_ERRNO[errno];
  if (known !== undefined) return dialError(known.code, address, `${known.what} (${errno})`, { cause: error });
  if (isHekateError(error)) return underneath('DIAL_FAILED', address, '', error);
  return dialError('DIAL_FAILED', address, messageOf(error), { cause: error, ...systemFix(error) });
}

/** `found` below the connection knows better than the usual fix of `code` what to do. */
export function underneath(code: DialCode, address: NodeAddress, what: string, found: HekateError): DialError {
  return dialError(code, address, `${what}${found.message} (${found.code})`, { cause: found, fix: found.fix });
}

export function dialError(
  code: DialCode,
  address: NodeAddress,
  what: string,
  options: Pick<ErrorOptions<DialCode>, 'cause' | 'fix'> = {},
): DialError {
  return new HekateError(code, `node ${address.text}: ${what}`, { ...options, details: { node: address.text } });
}

/** Of a dial, or of a connection that was open already. */
function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isHekateError(error)) return error.code.startsWith('SOCKET_') ? errnoOf(error.cause) : undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isDialError(error: HekateError): error is DialError {
  return error.code.startsWith('DIAL_');
}
