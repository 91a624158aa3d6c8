/** Pipe(): two connected ends. */

import { validateBoolean, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import { SHUT_WR } from '../native/socket.js';
import { type Connection, connectionBy } from './connection.js';
import { Lane } from './lane.js';

/**
 * Bytes that may be under way in one direction of the sockets. The usual 208 KiB hold a part of a message that is too large
 * for the lane: both sides would wait for each other all the time. The kernel takes memory for what has not been read yet.
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
  return pipeWith(duplex, () => Lane.pair());
}

/** A duplex pipe without shared memory: less to make and to inherit, for a few messages. */
export function socketPipe(): [Connection, Connection] {
  return pipeWith(true, () => undefined);
}

function pipeWith<T>(duplex: boolean, makeLanes: () => [Lane, Lane] | undefined): [Connection<T>, Connection<T>] {
  // Not a pipe(2), one way either: descriptors travel through sockets only.
  const [first, second] = native.socketpair();
  if (!duplex) native.shutDown(first, SHUT_WR);
  native.setSendBuffer(first, UNDER_WAY);
  native.setSendBuffer(second, UNDER_WAY);
  const lanes = makeLanes();
  return [
    connectionBy<T>(lanes?.[0], first, { writable: duplex }),
    connectionBy<T>(lanes?.[1], second, { readable: duplex }),
  ];
}
