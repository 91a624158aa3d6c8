/** Pipe(): two connected ends. */

import { validateBoolean, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import { SHUT_WR } from '../native/socket.js';
import { Connection } from './connection.js';

/**
 * Bytes that may be under way in one direction. The usual 208 KiB hold three messages of 64 KiB and a part of a larger one:
 * both sides would wait for each other all the time. It is a limit: the kernel takes memory for what has not been read yet.
 */
const UNDER_WAY = 1024 * 1024;

/**
 * Two connected ends, duplex by default: both send and receive (a socketpair). With `duplex: false` the first only
 * receives and the second only sends. The caller owns both. Doesn't block.
 *
 * Python: `multiprocessing.Pipe`. socketpair(2), shutdown(2)
 * @throws EMFILE; ENFILE; ERR_INVALID_ARG_TYPE.
 *
 * @example
 * const [receiver, sender] = Pipe<number>({ duplex: false });
 * await using child = await new Process({ target: () => sender.send(42) }).start();
 * sender.close();
 * await receiver.recv(); // 42
 */
export function Pipe<T = unknown>(options?: { duplex?: boolean }): [Connection<T>, Connection<T>] {
  validateOptions(options, 'options');
  const duplex = options?.duplex ?? true;
  validateBoolean(duplex, 'options.duplex');
  if (duplex) {
    const [first, second] = native.socketpair();
    native.setSendBuffer(first, UNDER_WAY);
    native.setSendBuffer(second, UNDER_WAY);
    return [new Connection<T>(first), new Connection<T>(second)];
  }
  // Not a pipe(2): descriptors travel through sockets only.
  const [readEnd, writeEnd] = native.socketpair();
  native.shutDown(readEnd, SHUT_WR);
  native.setSendBuffer(writeEnd, UNDER_WAY);
  return [new Connection<T>(readEnd, { writable: false }), new Connection<T>(writeEnd, { readable: false })];
}
