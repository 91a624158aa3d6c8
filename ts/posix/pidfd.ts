/** Descriptors that stand for a process: unlike a pid they never come to mean another one. */

import { signalNumber } from '../internal/signals.js';
import { native } from '../native/load.js';
import { validateDescriptor, validatePid } from './arguments.js';

/**
 * A descriptor for the process `pid`, close-on-exec; it polls readable once the process has ended. The caller owns it
 * and closes it. Safe from reuse of the number only for a child that is not reaped yet, or for the process itself.
 * Doesn't block.
 *
 * Python: os.pidfd_open. pidfd_open(2)
 * @throws ESRCH: there is no such process; EMFILE.
 */
export function pidfdOpen(pid: number): number {
  validatePid(pid, 'pid', 1);
  return native.pidfdOpen(pid);
}

/**
 * Sends a signal, by number or name, to the process behind a descriptor of pidfdOpen(); 0 only asks whether it exists.
 * Doesn't block.
 *
 * Python: signal.pidfd_send_signal. pidfd_send_signal(2)
 * @throws ESRCH: it has ended and been reaped; EPERM; EBADF: not a pidfd; ERR_UNKNOWN_SIGNAL.
 */
export function pidfdSendSignal(fd: number, signal: number | string): void {
  validateDescriptor(fd);
  native.pidfdSendSignal(fd, signalNumber(signal, 'signal'));
}
