/** Calls that wait in the server, in their order. */

/** One call, as long as it is not answered. */
export class Pending {
  #cancelled = false;
  #onCancel: (() => void) | undefined;

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  /** The client wants no answer any more, or is gone. */
  cancel(): void {
    this.#cancelled = true;
    this.#onCancel?.();
  }

  /** One at a time; undefined takes it back. */
  onCancel(run: (() => void) | undefined): void {
    this.#onCancel = run;
  }
}

/** What a wait ends with that got nothing. */
export const EXPIRED: unique symbol = Symbol('expired');

const LONGEST_TIMER = 2 ** 31 - 1;

export class Waiters<T> {
  readonly #all: Set<(value: T) => void> = new Set();

  get size(): number {
    return this.#all.size;
  }

  /** EXPIRED when the time is up (milliseconds; negative: never) or the call is cancelled. */
  wait(pending: Pending, timeout: number): Promise<T | typeof EXPIRED> {
    if (timeout === 0 || pending.isCancelled) return Promise.resolve(EXPIRED);
    return new Promise((resolve) => {
      const settle = (value: T | typeof EXPIRED): void => {
        clearTimeout(timer);
        pending.onCancel(undefined);
        this.#all.delete(settle);
        resolve(value);
      };
      const timer = timeout > 0 ? setTimeout(() => settle(EXPIRED), Math.min(timeout, LONGEST_TIMER)) : undefined;
      pending.onCancel(() => settle(EXPIRED));
      this.#all.add(settle);
    });
  }

  /** The longest waiting one gets it; false when nobody waits. */
  give(value: T): boolean {
    const [first] = this.#all;
    first?.(value);
    return first !== undefined;
  }

  giveAll(value: T): void {
    for (const settle of [...this.#all]) settle(value);
  }
}
