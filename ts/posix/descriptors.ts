/** Pipes, event counters, reading, writing, duplicating and closing descriptors. */

import {
  invalidArgType,
  invalidArgValue,
  outOfRange,
  validateBoolean,
  validateInteger,
  validateOptions,
} from '../internal/validate.js';
import { native } from '../native/load.js';
import { validateDescriptor } from './arguments.js';
import { EFD_NONBLOCK, EFD_SEMAPHORE } from './numbers.js';

/** An ArrayBufferView as the bytes it shows. */
export function viewedBytes(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (!ArrayBuffer.isView(value)) throw invalidArgType(name, 'an instance of Buffer, TypedArray or DataView', value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * A one-way channel of bytes. Doesn't block. The caller owns both descriptors; they are close-on-exec and blocking.
 *
 * Python: os.pipe. pipe(2)
 * @throws EMFILE; ENFILE.
 */
export function pipe(): { readEnd: number; writeEnd: number } {
  const [readEnd, writeEnd] = native.pipe();
  return { readEnd, writeEnd };
}

/**
 * Reads up to the buffer's length and returns the number of bytes: 0 at the end of the file, undefined when a
 * non-blocking descriptor has nothing yet (EAGAIN). Blocks the event loop on a blocking one. Restarted after signals.
 *
 * Python: os.readv. read(2)
 * @throws EBADF; EISDIR; EIO.
 */
export function read(fd: number, buffer: NodeJS.ArrayBufferView): number | undefined {
  validateDescriptor(fd);
  const bytes = viewedBytes(buffer, 'buffer');
  return native.read(fd, bytes, 0, bytes.length);
}

/**
 * Writes and returns the number of bytes, perhaps fewer than given; undefined when a non-blocking descriptor takes none
 * now (EAGAIN). Blocks the event loop on a blocking one. Restarted after signals.
 *
 * Python: os.write. write(2)
 * @throws EBADF; EPIPE when nobody can read them any more; ENOSPC; EFBIG.
 */
export function write(fd: number, buffer: NodeJS.ArrayBufferView): number | undefined {
  validateDescriptor(fd);
  const bytes = viewedBytes(buffer, 'buffer');
  return native.write(fd, bytes, 0, bytes.length);
}

/**
 * Closes a descriptor; the number is free afterwards, whatever the outcome. Never one that an object of Node's or this
 * library's owns. Doesn't block, but for what some files write back at their close.
 *
 * Python: os.close. close(2)
 * @throws EBADF; EIO.
 */
export function close(fd: number): void {
  validateDescriptor(fd);
  native.closeFd(fd);
}

/**
 * A second number for the same open file, close-on-exec. The caller owns it. Doesn't block.
 *
 * Python: os.dup. dup(2)
 * @throws EBADF; EMFILE.
 */
export function dup(fd: number): number {
  validateDescriptor(fd);
  return native.dup(fd);
}

/**
 * Makes `target` another number for the open file of `fd`, closing what it was, and returns `target`; nothing happens
 * when both are the same. As every descriptor of this library it is close-on-exec, the standard streams (0, 1, 2)
 * excepted: who redirects them means the programs that are started, too. Doesn't block.
 *
 * Python: os.dup2. dup2(2)
 * @throws EBADF.
 */
export function dup2(fd: number, target: number): number {
  validateDescriptor(fd);
  validateDescriptor(target, 'target');
  native.dupOnto(fd, target, target > 2);
  return target;
}

/**
 * dup2() that says whether `target` stays open in programs that are started: closeOnExec, default true. Refuses equal
 * numbers.
 *
 * Python: os.dup2(inheritable=). dup3(2)
 * @throws EBADF; ERR_INVALID_ARG_VALUE for equal numbers.
 */
export function dup3(fd: number, target: number, options: { closeOnExec?: boolean } = {}): number {
  validateDescriptor(fd);
  validateDescriptor(target, 'target');
  validateOptions(options, 'options');
  const closeOnExec = options.closeOnExec ?? true;
  validateBoolean(closeOnExec, 'options.closeOnExec');
  if (fd === target) throw invalidArgValue('target', 'must not be fd itself', target);
  native.dupOnto(fd, target, closeOnExec);
  return target;
}

/**
 * Makes reads and writes return undefined instead of waiting (O_NONBLOCK), or wait again. It belongs to the open file:
 * every process that shares it sees the change. Doesn't block.
 *
 * Python: os.set_blocking. fcntl(2)
 * @throws EBADF.
 */
export function setNonblocking(fd: number, nonblocking: boolean): void {
  validateDescriptor(fd);
  validateBoolean(nonblocking, 'nonblocking');
  native.setNonblocking(fd, nonblocking);
}

/**
 * A 64-bit counter behind a descriptor: a write adds its eight bytes, a read takes all (EFD_SEMAPHORE: one), and it
 * polls readable while it is not 0. `initial` is an unsigned 32-bit integer, `flags` the sum of EFD_SEMAPHORE
 * and EFD_NONBLOCK, default 0. The caller owns the descriptor. Doesn't block.
 *
 * Python: os.eventfd. eventfd(2)
 * @throws EMFILE; ENFILE.
 */
export function eventfd(initial: number = 0, flags: number = 0): number {
  validateInteger(initial, 'initial', 0, 2 ** 32 - 1);
  validateInteger(flags, 'flags');
  if ((flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK)) !== 0) {
    throw outOfRange('flags', 'a combination of EFD_SEMAPHORE and EFD_NONBLOCK', flags);
  }
  return native.eventfd(initial, flags);
}
