/** wait(): which of many things are ready. */

import {
  type Deadline,
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import { READABLE, whenReady } from '../internal/readiness.js';
import { systemError } from '../internal/system_error.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { invalidArgType, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { Connection, watchOf } from './connection.js';

/**
 * A connection with something to receive, a Process that has ended (by its sentinel), a descriptor that is readable.
 * Python: what `wait()` takes.
 */
export type Waitable = Connection | { readonly sentinel: number } | number;

const LARGEST_FD = 2 ** 31 - 1;
const POLLIN = 1;
const POLLNVAL = 0x20;

interface Watch {
  readonly fd: number;
  /** Tells whether the object is, when the descriptor is readable; undefined: it is. */
  readonly isReady?: (() => boolean) | undefined;
}

/** What to watch of each object; one that is listed twice is there once. */
type Entries<O> = ReadonlyMap<O, Watch>;

/**
 * Waits until at least one is ready and resolves with all that are, each once, in their order; [] on time-out, and at
 * once for no objects without a timeout. Ready: a Connection has something to receive or its peer is gone, a Process has
 * ended, a descriptor is readable or at its end. Takes nothing.
 *
 * Python: `multiprocessing.connection.wait`
 * @throws ERR_MP_CLOSED: a closed connection; ERR_MP_PROCESS: a process that was not started; EBADF; ERR_INVALID_ARG_TYPE;
 * ERR_OUT_OF_RANGE; the signal's reason.
 */
export async function wait<O extends Waitable>(objects: readonly O[], options?: WaitOptions): Promise<O[]> {
  const entries = entriesOf(objects);
  const deadline = deadlineOf(options);
  const signal = signalOf(options);
  signal?.throwIfAborted();
  for (;;) {
    if (isTurnOver()) await new Promise<void>(afterTurn);
    const ready = readyNow(entries, 0);
    if (ready.length > 0 || deadline === Number.NEGATIVE_INFINITY) return ready;
    if (entries.size === 0 && deadline === Number.POSITIVE_INFINITY) return [];
    if (!(await anyReady(entries, deadline, signal))) return readyNow(entries, 0);
  }
}

/** wait(), blocking the event loop. */
export function waitSync<O extends Waitable>(objects: readonly O[], options?: SyncWaitOptions): O[] {
  const entries = entriesOf(objects);
  const deadline = deadlineOf(options);
  if (entries.size === 0 && deadline === Number.POSITIVE_INFINITY) return [];
  for (;;) {
    const left = millisecondsLeft(deadline);
    const ready = readyNow(entries, left);
    if (ready.length > 0 || left === 0) return ready;
  }
}

function entriesOf<O extends Waitable>(objects: readonly O[]): Entries<O> {
  if (!Array.isArray(objects)) throw invalidArgType('objects', 'an instance of Array', objects);
  return new Map(objects.map((object, index) => [object, watched(object, `objects[${index}]`)]));
}

function watched(object: Waitable, name: string): Watch {
  if (object instanceof Connection) return watchOf(object);
  const fd = typeof object === 'object' && object !== null ? object.sentinel : object;
  if (typeof fd !== 'number') throw invalidArgType(name, 'a Connection, a Process or a descriptor', object);
  validateInteger(fd, name, 0, LARGEST_FD);
  return { fd };
}

/** Those that are ready, or become so in time; perhaps none although there is time left. */
function readyNow<O>(entries: Entries<O>, milliseconds: number): O[] {
  const watches = [...entries.values()];
  const isAnyReady = watches.some(({ isReady }) => isReady?.());
  const triples = Int32Array.from(watches.flatMap(({ fd }) => [fd, POLLIN, 0]));
  native.poll(triples, isAnyReady ? 0 : milliseconds);
  return [...entries.keys()].filter((_, index) => {
    const events = triples[3 * index + 2] as number;
    if ((events & POLLNVAL) !== 0) throw systemError('EBADF', 'poll');
    return watches[index]?.isReady?.() ?? events !== 0;
  });
}

/** False on time-out. */
async function anyReady<O>(entries: Entries<O>, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
  const over = new AbortController();
  const onAbort = (): void => over.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (entries.size === 0) return await nothingReady(deadline, over.signal);
    const waits = [...new Set([...entries.values()].map(({ fd }) => fd))].map((fd) =>
      whenReady(fd, READABLE, deadline, over.signal),
    );
    for (const pending of waits) pending.catch(() => {}); // those that lose the race
    return await Promise.race(waits);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    over.abort();
  }
}

/** What an empty list has to wait for. */
function nothingReady(deadline: Deadline, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(millisecondsLeft(deadline), 2 ** 31 - 1), false);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
