/** The process that started this one. */

import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';

/**
 * The process that started this one: by its pid as long as it is our parent, and by a pidfd from then on that somebody waits
 * for it. Only joinSync() blocks. Python: the result of `multiprocessing.parent_process`.
 */
export class ParentProcess {
  /** What getppid() says while it lives. Python: `pid` */
  readonly pid: number;
  /** As its Process has it. Python: `name` */
  readonly name: string;
  #pidfd: number | undefined;

  /** Owns `pidfd`, a descriptor; without one it must be this process's parent to the kernel too. Never throws. */
  constructor(pid: number, name: string, pidfd?: number) {
    this.pid = pid;
    this.name = name;
    this.#pidfd = pidfd;
  }

  /** Whether it has not ended. Never blocks. Never throws. Python: `is_alive()` */
  isAlive(): boolean {
    if (this.#pidfd !== undefined) return !waitReadySync(this.#pidfd, READABLE, Number.NEGATIVE_INFINITY);
    // An orphan gets another parent at once; and a pid that is our parent's still can't have been reused.
    return native.getppid() === this.pid;
  }

  /** Polls readable when the parent has ended; undefined when it has ended already. */
  #sentinel(): number | undefined {
    if (this.#pidfd !== undefined) return this.#pidfd;
    const pidfd = native.getppid() === this.pid ? native.pidfdOpen(this.pid) : undefined;
    if (pidfd !== undefined && native.getppid() !== this.pid) native.closeFd(pidfd);
    else this.#pidfd = pidfd;
    return this.#pidfd;
  }

  /**
   * Resolves true once the parent has ended, false on time-out (milliseconds). The wait keeps this process alive.
   * Python: `join()` @throws the signal's reason; EMFILE.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    const sentinel = this.#sentinel();
    return sentinel === undefined || whenReady(sentinel, READABLE, deadline, signal);
  }

  /** join(), blocking. Python: `join()` */
  joinSync(options?: SyncWaitOptions): boolean {
    const deadline = deadlineOf(options);
    const sentinel = this.#sentinel();
    return sentinel === undefined || waitReadySync(sentinel, READABLE, deadline);
  }

  /** @internal */
  close(): void {
    if (this.#pidfd !== undefined) native.closeFd(this.#pidfd);
    this.#pidfd = undefined;
  }
}
