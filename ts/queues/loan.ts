/** Loan: a message in the memory of a queue, without a copy. */

import { ClosedError } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';
import { forkGeneration } from '../internal/fork_generation.js';
import { validateInteger } from '../internal/validate.js';
import type { RingLoan } from '../native/ring.js';

/** What a loan asks of its queue. */
export interface Lender {
  putLoan(loan: RingLoan, size: number, options: WaitOptions | undefined): Promise<void>;
  putLoanSync(loan: RingLoan, size: number, options: SyncWaitOptions | undefined): void;
  giveBack(loan: RingLoan): void;
}

/**
 * Bytes of a queue's memory in this process's hands: to be written and put (`Queue.lend`), or to be read and given back
 * (`Queue.getLoan`). Once it is put or given back `bytes` has length 0, as has every view of its memory. What a process
 * still has when it ends is the queue's again. Only putSync() blocks. Python: none.
 *
 * @example
 * using loan = await queue.lend(frame.size);
 * camera.readInto(loan.bytes);
 * await loan.put();
 */
export class Loan {
  /** The queue's own memory. */
  readonly bytes: Uint8Array;
  readonly #lender: Lender;
  readonly #generation: number = forkGeneration();
  #loan: RingLoan | undefined;

  /** Made by queues; doesn't block. Without a loan the bytes are this process's own. Never throws. */
  constructor(lender: Lender, loan: RingLoan | undefined, bytes: Uint8Array) {
    this.#lender = lender;
    this.#loan = loan;
    this.bytes = bytes;
  }

  /**
   * Puts the first `size` bytes (default: all) as one message. Doesn't copy. Resolves when it is in the queue, which waits
   * while that is full.
   * @throws as Queue.put() does; ERR_MP_CLOSED: it was put or given back; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE.
   */
  put(size: number = this.bytes.length, options?: WaitOptions): Promise<void> {
    try {
      return this.#lender.putLoan(this.#mustHave(size), size, options).then(() => {
        this.#loan = undefined;
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** put(), blocking while the queue is full. */
  putSync(size: number = this.bytes.length, options?: SyncWaitOptions): void {
    this.#lender.putLoanSync(this.#mustHave(size), size, options);
    this.#loan = undefined;
  }

  /** The end of the loan; what was to be put is not. Idempotent. Doesn't block. Never throws. */
  giveBack(): void {
    const loan = this.#loan;
    this.#loan = undefined;
    // A forked child has a view of its parent's loan.
    if (loan !== undefined && this.#generation === forkGeneration()) this.#lender.giveBack(loan);
  }

  /** giveBack(). */
  [Symbol.dispose](): void {
    this.giveBack();
  }

  #mustHave(size: number): RingLoan {
    if (this.#loan === undefined || this.#generation !== forkGeneration())
      throw new ClosedError('this loan was put or given back');
    validateInteger(size, 'size', 0, this.bytes.length);
    return this.#loan;
  }
}
