/** Waiting on the event loop for words of mapped memory to change: any number of waits, a thread for every 127. */

import { native } from '../native/load.js';
import type { WordWatchObject } from '../native/memory.js';
import { type Deadline, millisecondsLeft } from './deadline.js';
import { type ForkKind, perProcess } from './per_process.js';
import { READABLE, stopWaiting, whenReady } from './readiness.js';

const LONGEST_TIMER = 2 ** 31 - 1;

interface Wait {
  readonly array: Int32Array;
  readonly index: number;
  readonly expected: number;
  settle(changed: boolean): void;
  fail(reason: unknown): void;
}

class WordWaits {
  readonly #all: Map<number, Wait> = new Map();
  #watch: WordWatchObject | undefined;
  #isListening = false;
  #tickets = 0;

  add(wait: Wait): number {
    this.#tickets += 1;
    this.#start(this.#tickets, wait);
    return this.#tickets;
  }

  #start(ticket: number, wait: Wait): void {
    this.#watch ??= new native.WordWatch();
    const { array, index, expected } = wait;
    const offset = array.byteOffset + index * array.BYTES_PER_ELEMENT;
    this.#watch.start(ticket, array.buffer as ArrayBuffer, offset, expected);
    this.#all.set(ticket, wait);
    if (!this.#isListening) void this.#listen(this.#watch);
  }

  remove(ticket: number): void {
    if (!this.#all.delete(ticket)) return;
    this.#watch?.stop(ticket);
    // Then nothing keeps the process alive.
    if (this.#all.size === 0 && this.#watch !== undefined) stopWaiting(this.#watch.fd());
  }

  /** The memory is about to be unmapped. */
  failAll(buffer: ArrayBuffer, reason: () => Error): void {
    for (const wait of [...this.#all.values()]) if (wait.array.buffer === buffer) wait.fail(reason());
  }

  /** In a forked child: those that it goes on with, which is all after posix.fork() and none in a Process. */
  inherit(kind: ForkKind): WordWaits {
    this.#watch?.close();
    const own = new WordWaits();
    own.#tickets = this.#tickets;
    if (kind === 'raw') for (const [ticket, wait] of this.#all) own.#start(ticket, wait);
    return own;
  }

  async #listen(watch: WordWatchObject): Promise<void> {
    this.#isListening = true;
    while (this.#all.size > 0) {
      await whenReady(watch.fd(), READABLE, Number.POSITIVE_INFINITY);
      for (const ticket of watch.changed()) {
        const wait = this.#all.get(ticket);
        this.#all.delete(ticket);
        wait?.settle(true);
      }
    }
    this.#isListening = false;
    this.#watch = undefined;
    watch.close();
  }
}

const waits = perProcess(
  () => new WordWaits(),
  (inherited, kind) => inherited.inherit(kind),
);

/** Resolves true when `array[index]` is not `expected`, false on time-out. The array is over memory of mmap(). */
export function waitForWord(
  array: Int32Array,
  index: number,
  expected: number,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      waits.value.remove(ticket);
    };
    const settle = (changed: boolean): void => {
      leave();
      resolve(changed);
    };
    const fail = (reason: unknown): void => {
      leave();
      reject(reason);
    };
    const onAbort = (): void => fail(signal?.reason);
    const ticket = waits.value.add({ array, index, expected, settle, fail });
    signal?.addEventListener('abort', onAbort, { once: true });
    const setTimer = (): void => {
      const left = millisecondsLeft(deadline);
      if (left === 0) settle(false);
      else if (left > 0) timer = setTimeout(setTimer, Math.min(Math.ceil(left), LONGEST_TIMER));
    };
    setTimer();
  });
}

/** Rejects the waits for words of this buffer, which may be unmapped then. */
export function failWaits(buffer: ArrayBuffer, reason: () => Error): void {
  waits.value.failAll(buffer, reason);
}
