/** Where a worker is, in words of shared memory: what its pool sees at any time, and finds when the worker has died. */

/** Which 32-bit word has what; the time is a double. */
const RUNNING = 0;
const ITEM = 1;
const ANSWERED = 2;
const SPOKEN = 3;
const STARTED_AT = 4;
export const WORDS = 8;

export class Progress {
  readonly #words: Int32Array;
  /** Milliseconds of CLOCK_MONOTONIC, which is the same in every process. */
  readonly #startedAt: Float64Array;
  readonly #offset: number = clockOffset();

  constructor(words: Int32Array) {
    this.#words = words;
    this.#startedAt = new Float64Array(words.buffer, words.byteOffset + STARTED_AT * 4, 1);
  }

  /** The task that was begun and not answered; 0 for none. */
  get running(): number {
    return Atomics.load(this.#words, RUNNING);
  }

  /** The call of the chunk that was begun. */
  get item(): number {
    return this.#words[ITEM] as number;
  }

  /** How many tasks have been answered, by the last word about them. */
  get answered(): number {
    return Atomics.load(this.#words, ANSWERED);
  }

  /** How many words the pool has sent over the connection. */
  get spoken(): number {
    return Atomics.load(this.#words, SPOKEN);
  }

  /** Milliseconds since the task, or the call of it, began, where it has a limit. */
  get elapsed(): number {
    return performance.now() + this.#offset - (this.#startedAt[0] as number);
  }

  // ---- for the worker

  /** `isTimed`: it has a limit. */
  begin(id: number, isTimed: boolean): void {
    if (isTimed) this.#startClock();
    this.#words[ITEM] = 0;
    Atomics.store(this.#words, RUNNING, id);
  }

  beginItem(item: number): void {
    this.#words[ITEM] = item;
  }

  /** A call that has a limit of its own. */
  beginTimedItem(item: number): void {
    this.#startClock();
    Atomics.store(this.#words, ITEM, item);
  }

  /** All of the task has been answered. */
  end(): void {
    Atomics.store(this.#words, RUNNING, 0);
    Atomics.add(this.#words, ANSWERED, 1);
  }

  #startClock(): void {
    this.#startedAt[0] = performance.now() + this.#offset;
  }

  // ---- for the pool

  /** One word more has been sent. */
  speak(): void {
    Atomics.add(this.#words, SPOKEN, 1);
  }
}

/** What is to be added to performance.now() for the same clock in every process. */
function clockOffset(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6 - performance.now();
}
