/**
 * Waiting for descriptors on the event loop: no thread, no polling. libuv allows one poll handle per descriptor, so
 * the waiters of one descriptor share it.
 */

import { native } from '../native/load.js';
import type { PollerHandle } from '../native/poller.js';
import { type Deadline, millisecondsLeft } from './deadline.js';
import { perProcess } from './per_process.js';

export const READABLE = 1; // UV_READABLE
export const WRITABLE = 2; // UV_WRITABLE
const DISCONNECT = 4; // UV_DISCONNECT

interface Waiter {
  readonly events: number;
  readonly ref: boolean;
  settle(ready: boolean): void;
}

class Watch {
  readonly waiters: Set<Waiter> = new Set();
  readonly #poller: PollerHandle;

  constructor(fd: number) {
    this.#poller = new native.Poller(fd, (events) => this.#ready(events));
  }

  #ready(events: number): void {
    // A hang-up ends every wait: the read or write that follows tells what happened.
    for (const waiter of [...this.waiters]) {
      if ((waiter.events & events) !== 0 || (events & DISCONNECT) !== 0) waiter.settle(true);
    }
  }

  /** Watches for what the waiters want, keeps the loop alive if one of them does; false when nobody waits any more. */
  update(): boolean {
    let events = 0;
    let ref = false;
    for (const waiter of this.waiters) {
      events |= waiter.events;
      ref ||= waiter.ref;
    }
    if (events === 0) {
      this.#poller.close();
      return false;
    }
    this.#poller.start(events);
    if (ref) this.#poller.ref();
    else this.#poller.unref();
    return true;
  }

  close(): void {
    this.waiters.clear();
    this.#poller.close();
  }
}

/** The parent's waits are not a fresh child's: their promises never settle there. */
const watches = perProcess(
  () => new Map<number, Watch>(),
  (inherited, kind) => {
    if (kind === 'raw') return inherited;
    for (const watch of inherited.values()) watch.close();
    return new Map();
  },
);

/** The descriptors that are being watched: a fork must not quiet them, the child may still use them. */
export function watchedDescriptors(): number[] {
  return [...watches.value.keys()];
}

/**
 * Resolves true when the descriptor is ready (data, end of file, error or hang-up), false on time-out; rejects with
 * `signal.reason`. With `ref: false` the wait does not keep the process alive.
 */
export function whenReady(
  fd: number,
  events: number,
  deadline: Deadline,
  signal?: AbortSignal,
  { ref = true }: { ref?: boolean } = {},
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let watch = watches.value.get(fd);
    if (watch === undefined) {
      watch = new Watch(fd);
      watches.value.set(fd, watch);
    }
    const shared = watch;
    let timer: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      shared.waiters.delete(waiter);
      if (!shared.update() && watches.value.get(fd) === shared) watches.value.delete(fd);
    };
    const waiter: Waiter = {
      events,
      ref,
      settle(ready) {
        leave();
        resolve(ready);
      },
    };
    const onAbort = (): void => {
      leave();
      reject(signal?.reason);
    };
    shared.waiters.add(waiter);
    shared.update();
    signal?.addEventListener('abort', onAbort, { once: true });
    const left = millisecondsLeft(deadline);
    if (left >= 0) timer = setTimer(left, () => waiter.settle(false));
  });

  function setTimer(milliseconds: number, expire: () => void): NodeJS.Timeout {
    const longest = 2 ** 31 - 1;
    const timer = setTimeout(expire, Math.min(Math.ceil(milliseconds), longest));
    if (!ref) timer.unref();
    return timer;
  }
}

/**
 * Ends every wait for a descriptor as if it were ready; before it is closed, or else the loop would watch a number that
 * means nothing, or something else.
 */
export function stopWaiting(fd: number): void {
  for (const waiter of [...(watches.value.get(fd)?.waiters ?? [])]) waiter.settle(true);
}

const POLLIN = 1;
const POLLOUT = 4;

/** The blocking twin of whenReady(): true when the descriptor is ready, false on time-out. poll(2) */
export function waitReadySync(fd: number, events: number, deadline: Deadline): boolean {
  const wanted = ((events & READABLE) !== 0 ? POLLIN : 0) | ((events & WRITABLE) !== 0 ? POLLOUT : 0);
  return native.poll(Int32Array.of(fd, wanted, 0), millisecondsLeft(deadline)) !== 0;
}
