/** A pair of connected sockets, and descriptors that travel through them. */

import { invalidArgType, outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { validateDescriptor } from './arguments.js';
import { viewedBytes } from './descriptors.js';

/** The kernel takes no more descriptors in one message: SCM_MAX_FD of unix(7). */
const MAX_FDS = 253;

/**
 * Two connected AF_UNIX stream sockets: what is written to one is read from the other. The caller owns both; they are
 * close-on-exec and blocking. Doesn't block itself.
 *
 * Python: socket.socketpair. socketpair(2)
 * @throws EMFILE; ENFILE.
 */
export function socketpair(): [first: number, second: number] {
  return native.socketpair();
}

/**
 * Sends descriptors with at least one byte of data (default: one zero byte) through an AF_UNIX socket. The receiver
 * gets copies; the caller's stay open and may be closed at once. Returns the number of bytes sent, perhaps fewer than
 * given: all descriptors went with the first of them; undefined when a non-blocking socket takes none now.
 * Blocks the event loop on a blocking one that is full.
 *
 * Python: socket.send_fds. sendmsg(2), SCM_RIGHTS in unix(7)
 * @throws EBADF; ENOTSOCK; EPIPE; ETOOMANYREFS.
 */
export function sendFds(
  socket: number,
  fds: readonly number[],
  data: NodeJS.ArrayBufferView = new Uint8Array(1),
): number | undefined {
  validateDescriptor(socket, 'socket');
  if (!Array.isArray(fds)) throw invalidArgType('fds', 'an instance of Array', fds);
  if (fds.length > MAX_FDS) throw outOfRange('fds.length', `<= ${MAX_FDS}`, fds.length);
  for (const [index, fd] of fds.entries()) validateDescriptor(fd, `fds[${index}]`);
  const bytes = viewedBytes(data, 'data');
  if (bytes.length === 0) throw outOfRange('data.byteLength', '>= 1', 0);
  return native.sendFds(socket, Int32Array.from(fds), bytes);
}

/** What recvFds() got. The caller owns the descriptors. Python: the tuple of socket.recv_fds. */
export interface ReceivedFds {
  /** How many bytes were read into the buffer; 0: the peer has closed. */
  bytes: number;
  /** In the order in which they were sent. */
  fds: number[];
  /** More descriptors had been sent than `maxFds`; the kernel closed the others. */
  truncated: boolean;
}

/**
 * Receives data into `buffer` and up to `maxFds` descriptors that came with it, close-on-exec; undefined when a
 * non-blocking socket has nothing yet. Blocks the event loop on a blocking one.
 *
 * Python: socket.recv_fds. recvmsg(2), SCM_RIGHTS in unix(7)
 * @throws EBADF; ENOTSOCK. With a full descriptor table (EMFILE) the rest is closed as well and `truncated` true.
 */
export function recvFds(
  socket: number,
  maxFds: number = MAX_FDS,
  buffer: NodeJS.ArrayBufferView = new Uint8Array(1),
): ReceivedFds | undefined {
  validateDescriptor(socket, 'socket');
  validateInteger(maxFds, 'maxFds', 0, MAX_FDS);
  const bytes = viewedBytes(buffer, 'buffer');
  if (bytes.length === 0) throw outOfRange('buffer.byteLength', '>= 1', 0);
  return native.recvFds(socket, maxFds, bytes);
}
