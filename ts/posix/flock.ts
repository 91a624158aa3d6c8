/** Advisory locks on open files. */

import { outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { validateDescriptor } from './arguments.js';
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from './numbers.js';

const OPERATIONS: readonly number[] = [LOCK_SH, LOCK_EX, LOCK_UN].flatMap((operation) => [
  operation,
  operation | LOCK_NB,
]);

/**
 * Locks the open file (`operation` LOCK_SH shared, LOCK_EX exclusive) or unlocks it (LOCK_UN). Blocks the event loop
 * until the lock is free; with LOCK_NB returns false instead when it is held elsewhere, else true. Restarted after
 * signals. The lock belongs to the open file: duplicates of the descriptor and forked children share it, and it goes
 * when the last of them is closed.
 *
 * Python: fcntl.flock. flock(2)
 * @throws EBADF; ENOLCK.
 */
export function flock(fd: number, operation: number): boolean {
  validateDescriptor(fd);
  validateInteger(operation, 'operation');
  if (!OPERATIONS.includes(operation)) {
    throw outOfRange('operation', 'LOCK_SH, LOCK_EX or LOCK_UN, each with or without LOCK_NB', operation);
  }
  return native.flock(fd, operation);
}
