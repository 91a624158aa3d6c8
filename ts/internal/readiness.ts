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

/** Milliseconds for which the loop's handle waits for the next one to use it: making it anew takes five system calls. */
const KEPT = 50;

interface Waiter {
  readonly events: number;
  readonly ref: boolean;
  settle(ready: boolean): void;
}

class Watch {
  readonly waiters: Set<Waiter> = new Set();
  readonly #poller: PollerHandle;
  /** Whose descriptor it is, for as long as the watch is kept without waiters: nobody else may close it meanwhile. */
  #owner: object | undefined;
  /** Runs while nobody waits, and a little longer: whoever does wait is not woken by it again and again. */
  #idle: NodeJS.Timeout | undefined;
  /** Somebody has waited since #idle was last looked at. */
  #wasUsed = false;
  #dispose: () => void = () => {};
  /**
   * What the poller watches for: also after the last wait, until that is ready again and nobody wants it. To stop and
   * start it for each of the messages that somebody reads would be three system calls each time.
   */
  #events = 0;
  /** Whether the poller keeps the loop alive. */
  #isRef = true;

  constructor(fd: number) {
    this.#poller = new native.Poller(fd, (events) => this.#ready(events));
  }

  #ready(events: number): void {
    // libuv stops watching a descriptor that has an error.
    if ((events & DISCONNECT) !== 0) this.#events = 0;
    // Still watched for who would wait again, as readers do: nobody did until now.
    if (this.waiters.size === 0 && this.#events !== 0) this.#watchFor(0);
    // A hang-up ends every wait: the read or write that follows tells what happened.
    for (const waiter of [...this.waiters]) {
      if ((waiter.events & events) !== 0 || (events & DISCONNECT) !== 0) waiter.settle(true);
    }
  }

  #watchFor(events: number): void {
    this.#events = events;
    this.#poller.start(events);
  }

  /** Watches for what the waiters want, keeps the loop alive if one of them does; false when it is of no more use. */
  update(): boolean {
    let events = 0;
    let ref = false;
    for (const waiter of this.waiters) {
      events |= waiter.events;
      ref ||= waiter.ref;
    }
    if (events === 0 && this.#owner === undefined) {
      this.close();
      return false;
    }
    if (events === 0) {
      this.#wasUsed = true;
      this.#idle ??= setTimeout(this.#look, KEPT).unref();
    }
    if (events !== 0 && events !== this.#events) this.#watchFor(events);
    if (ref !== this.#isRef) {
      this.#isRef = ref;
      if (ref) this.#poller.ref();
      else this.#poller.unref();
    }
    return true;
  }

  /** Is kept for a while when nobody waits any more; then `dispose` is called. */
  keep(owner: object, dispose: () => void): void {
    if (this.#owner === owner) return;
    this.#owner = owner;
    this.#dispose = dispose;
  }

  readonly #look = (): void => {
    if (this.waiters.size > 0) {
      this.#idle = undefined;
    } else if (this.#wasUsed) {
      this.#wasUsed = false;
      this.#idle?.refresh();
    } else {
      this.#dispose();
    }
  };

  close(): void {
    clearTimeout(this.#idle);
    this.#owner = undefined;
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

function watchOf(fd: number): Watch {
  let watch = watches.value.get(fd);
  if (watch === undefined) {
    watch = new Watch(fd);
    watches.value.set(fd, watch);
  }
  return watch;
}

function discard(fd: number, watch: Watch): void {
  if (watches.value.get(fd) === watch) watches.value.delete(fd);
  watch.close();
}

function leave(fd: number, watch: Watch, waiter: Waiter): void {
  watch.waiters.delete(waiter);
  if (!watch.update() && watches.value.get(fd) === watch) watches.value.delete(fd);
}

/**
 * Calls back once, when the descriptor is ready; returns what calls that off. For who waits for it again and again: the
 * loop's handle is kept for a while, and with it `owner`, which calls stopWaiting() before it closes the descriptor.
 */
export function onceReady(fd: number, events: number, owner: object, callback: () => void): () => void {
  const watch = watchOf(fd);
  watch.keep(owner, () => discard(fd, watch));
  const waiter: Waiter = {
    events,
    ref: true,
    settle() {
      leave(fd, watch, waiter);
      callback();
    },
  };
  watch.waiters.add(waiter);
  watch.update();
  return () => leave(fd, watch, waiter);
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
    const watch = watchOf(fd);
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      leave(fd, watch, waiter);
    };
    const waiter: Waiter = {
      events,
      ref,
      settle(ready) {
        end();
        resolve(ready);
      },
    };
    const onAbort = (): void => {
      end();
      reject(signal?.reason);
    };
    watch.waiters.add(waiter);
    watch.update();
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
  const watch = watches.value.get(fd);
  if (watch === undefined) return;
  for (const waiter of [...watch.waiters]) waiter.settle(true);
  discard(fd, watch);
}

const POLLIN = 1;
const POLLOUT = 4;

/** The blocking twin of whenReady(): true when the descriptor is ready, false on time-out. poll(2) */
export function waitReadySync(fd: number, events: number, deadline: Deadline): boolean {
  const wanted = ((events & READABLE) !== 0 ? POLLIN : 0) | ((events & WRITABLE) !== 0 ? POLLOUT : 0);
  return native.poll(Int32Array.of(fd, wanted, 0), millisecondsLeft(deadline)) !== 0;
}
