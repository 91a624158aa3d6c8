/** Addresses of listeners, checked and resolved. */

import { builtin } from '../internal/builtins.js';
import {
  invalidArgType,
  invalidArgValue,
  validateInteger,
  validateOptions,
  validateString,
} from '../internal/validate.js';

/**
 * Where a Listener listens: a TCP host and port, or the path of a Unix socket. A path that begins with NUL is an abstract
 * name (Linux): no file, gone with its listener. Python: `(host, port)`, or a path.
 */
export type Address = { host: string; port: number } | { path: string };

/** Bytes of sockaddr_un.sun_path. unix(7) */
const LONGEST_PATH = 108;
const LARGEST_PORT = 65_535;

export function isAbstract(path: string): boolean {
  return path.startsWith('\0');
}

/** A path of the file system ends with NUL there, an abstract name does not. */
export function fitsAddress(path: string): boolean {
  return Buffer.byteLength(path) + (isAbstract(path) ? 0 : 1) <= LONGEST_PATH;
}

export function validateAddress(address: unknown): asserts address is Address {
  if (typeof address !== 'object' || address === null) throw invalidArgType('address', 'of type object', address);
  if ('path' in address) {
    validateString(address.path, 'address.path');
    if (address.path === '') throw invalidArgValue('address.path', 'must not be empty', address.path);
    if (!isAbstract(address.path) && address.path.includes('\0')) {
      throw invalidArgValue('address.path', 'must not contain NUL but at its start', address.path);
    }
    if (!fitsAddress(address.path)) {
      throw invalidArgValue('address.path', `must fit ${LONGEST_PATH} bytes`, address.path);
    }
    return;
  }
  const { host, port } = address as { host?: unknown; port?: unknown };
  validateString(host, 'address.host');
  validateInteger(port, 'address.port', 0, LARGEST_PORT);
}

/** What native.listenAt() and native.connectTo() take, in the order in which to try. */
export type Endpoint = readonly [where: string, port: number | undefined];

export async function endpointsOf(address: Address): Promise<readonly Endpoint[]> {
  if ('path' in address) return [[address.path, undefined]];
  const found = await builtin.dns().lookup(address.host === '' ? 'localhost' : address.host, { all: true });
  return found.map((entry) => [entry.address, address.port]);
}

export function authKeyOf(options: { authKey?: Uint8Array | undefined } | undefined): Uint8Array | undefined {
  validateOptions(options, 'options');
  const key = options?.authKey;
  if (key !== undefined && !(key instanceof Uint8Array)) {
    throw invalidArgType('options.authKey', 'an instance of Uint8Array', key);
  }
  // The caller may wipe its own.
  return key === undefined ? undefined : Uint8Array.from(key);
}
