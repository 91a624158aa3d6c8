/** poll(2). */

import { deadlineOf, millisecondsLeft, type SyncWaitOptions } from '../internal/deadline.js';
import { invalidArgType, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { validateDescriptor } from './arguments.js';

/** A descriptor and what is asked or told about it. Python: the pairs of select.poll. */
export interface PollEvents {
  /** The descriptor. */
  fd: number;
  /** The sum of the values POLLIN, POLLOUT, … */
  events: number;
}

/**
 * Blocks the event loop until one of the descriptors is ready and returns those that are, with what they are ready for;
 * [] when the time is up. POLLERR, POLLHUP and POLLNVAL (not open) are told whether asked for or not. `timeout` in
 * milliseconds: undefined waits for ever, <= 0 looks once. Restarted after signals.
 *
 * Python: select.poll. poll(2)
 * @throws EINVAL: more descriptors than RLIMIT_NOFILE.
 */
export function poll(descriptors: readonly PollEvents[], options?: SyncWaitOptions): PollEvents[] {
  if (!Array.isArray(descriptors)) throw invalidArgType('descriptors', 'an instance of Array', descriptors);
  const deadline = deadlineOf(options);
  const triples = new Int32Array(descriptors.length * 3);
  for (const [index, asked] of descriptors.entries()) {
    const name = `descriptors[${index}]`;
    if (typeof asked !== 'object' || asked === null) throw invalidArgType(name, 'of type object', asked);
    validateDescriptor(asked.fd, `${name}.fd`);
    validateInteger(asked.events, `${name}.events`, 0, 0x7fff);
    triples.set([asked.fd, asked.events], index * 3);
  }
  if (native.poll(triples, millisecondsLeft(deadline)) === 0) return [];
  return descriptors
    .map(({ fd }: PollEvents, index) => ({ fd, events: triples[index * 3 + 2] ?? 0 }))
    .filter(({ events }) => events !== 0);
}
