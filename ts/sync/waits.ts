/** The waits of one object in this JavaScript thread: each ends by its outcome, time-out, signal, or the object's close(). */

import { ClosedError } from '../errors.js';
import type { Deadline } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import type { Outcome } from '../native/wait_room.js';
import { atDeadline, type Pending, startWaiting, type WaitSpec } from './waiting.js';

interface Wait {
  /** Ends the wait; rejects with the reason unless that gives an outcome. */
  readonly abort: (reason: unknown) => void;
  /** Stops its timer, leaves its signal. */
  readonly cleanUp: () => void;
}

/** Ends a wait that is aborted: its outcome, or false when nothing has come. */
export type OnAbort = (pending: Pending) => Outcome;

const cancel: OnAbort = (pending) => {
  pending.cancel();
  return false;
};

/** Those that wait at present; a child waits for nothing that its parent waits for. */
const waiting = perProcess(
  () => new Set<Waits>(),
  (inherited) => {
    for (const waits of [...inherited]) waits.abandon();
    return new Set();
  },
);

export class Waits {
  readonly #what: string;
  readonly #waits: Set<Wait> = new Set();
  #closed = false;

  /** `what` the object is, in error messages. */
  constructor(what: string) {
    this.#what = what;
  }

  get closed(): boolean {
    return this.#closed;
  }

  mustBeOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  /** Resolves with the outcome, false on time-out; rejects with the signal's reason. Keeps the process alive. */
  wait(
    spec: WaitSpec,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    onAbort: OnAbort = cancel,
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      let stopTimer = (): void => {};
      const onSignal = (): void => wait.abort(signal?.reason);
      const settle = (outcome: Outcome): void => {
        this.#remove(wait);
        resolve(outcome);
      };
      const wait: Wait = {
        abort: (reason) => {
          const outcome = onAbort(pending);
          this.#remove(wait);
          if (outcome === false) reject(reason);
          else resolve(outcome);
        },
        cleanUp: () => {
          stopTimer();
          signal?.removeEventListener('abort', onSignal);
        },
      };
      const pending = startWaiting(spec, settle);
      this.#waits.add(wait);
      waiting.value.add(this);
      signal?.addEventListener('abort', onSignal, { once: true });
      stopTimer = atDeadline(deadline, () => settle(pending.giveUp()));
    });
  }

  /** Everybody is rejected. Idempotent: false when it is closed already. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    for (const wait of [...this.#waits]) wait.abort(this.#closedError());
    return true;
  }

  /** In a forked child: the waits are the parent's, their promises never settle here. */
  abandon(): void {
    for (const wait of [...this.#waits]) this.#remove(wait);
  }

  #remove(wait: Wait): void {
    this.#waits.delete(wait);
    wait.cleanUp();
    if (this.#waits.size === 0) waiting.value.delete(this);
  }

  #closedError(): ClosedError {
    return new ClosedError(`this ${this.#what} is closed`);
  }
}
