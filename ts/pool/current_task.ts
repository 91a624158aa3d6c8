/** The task that this process is running, as far as the task itself can see it. */

import { perProcess } from '../internal/per_process.js';

const { get: isAborted } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted') as {
  get: (this: AbortSignal) => boolean;
};

export class CurrentTask {
  /** 0 for none. */
  id = 0;
  /** Of the call in its chunk. */
  item = 0;
  #controller: AbortController | undefined;
  #abort: { readonly reason: unknown } | undefined;
  /** Looks whether an abort has come: a task that is synchronous keeps everybody else from it. */
  #look: () => void = () => {};

  begin(id: number, look: () => void): void {
    this.id = id;
    this.item = 0;
    this.#look = look;
    this.#forget();
  }

  /** Each call of a chunk has a signal of its own. */
  beginItem(item: number): void {
    this.item = item;
    this.#forget();
  }

  end(): void {
    this.id = 0;
    this.#forget();
  }

  #forget(): void {
    this.#controller = undefined;
    this.#abort = undefined;
  }

  abort(reason: unknown): void {
    this.#abort ??= { reason };
    this.#controller?.abort(reason);
  }

  get isAborted(): boolean {
    return this.#abort !== undefined;
  }

  signal(): AbortSignal | undefined {
    if (this.id === 0) return undefined;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#watchWhenAsked(this.#controller.signal);
      if (this.#abort !== undefined) this.#controller.abort(this.#abort.reason);
      this.#look();
    }
    return this.#controller.signal;
  }

  /** `signal.aborted` and throwIfAborted() tell the truth in a loop without await, too. */
  #watchWhenAsked(signal: AbortSignal): void {
    const look = this.#look;
    Object.defineProperty(signal, 'aborted', {
      configurable: true,
      get() {
        look();
        return Reflect.apply(isAborted, signal, []);
      },
    });
    Object.defineProperty(signal, 'throwIfAborted', {
      configurable: true,
      value: () => {
        look();
        AbortSignal.prototype.throwIfAborted.call(signal);
      },
    });
  }
}

const current = perProcess(() => new CurrentTask());

export function currentTask(): CurrentTask {
  return current.value;
}

/**
 * Inside a task of a pool: a signal that is aborted when the task is, by the `signal` or the `timeout` of its options. A
 * task that doesn't end within the grace time then loses its worker. Works in synchronous tasks, too: ask `aborted` now and
 * then. undefined elsewhere. Doesn't block. Never throws.
 *
 * Python: none.
 *
 * @example
 * await pool.apply(async (url: string) => (await fetch(url, { signal: taskSignal() })).text(), [url], { timeout: 5_000 });
 */
export function taskSignal(): AbortSignal | undefined {
  return current.value.signal();
}
