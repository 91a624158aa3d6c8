/** The process that started this one. */

import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';

/** A pidfd opened at birth stands for the parent, so that neither re-parenting nor the reuse of its pid matters. */
export class ParentProcess {
  readonly pid: number;
  readonly name: string;
  /** undefined: it had ended before this process could look. */
  #pidfd: number | undefined;

  constructor(pid: number, name: string) {
    this.pid = pid;
    this.name = name;
    // A pid that is still our parent's can't have been reused.
    const pidfd = native.getppid() === pid ? native.pidfdOpen(pid) : undefined;
    if (pidfd !== undefined && native.getppid() !== pid) native.closeFd(pidfd);
    else this.#pidfd = pidfd;
  }

  /** Never blocks. */
  isAlive(): boolean {
    return this.#pidfd !== undefined && !waitReadySync(this.#pidfd, READABLE, Number.NEGATIVE_INFINITY);
  }

  /** Resolves true once the parent has ended, false on time-out. The wait keeps this process alive. */
  async join(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    if (this.#pidfd === undefined) return true;
    return whenReady(this.#pidfd, READABLE, deadline, signal);
  }

  /** The same, blocking. */
  joinSync(options?: SyncWaitOptions): boolean {
    const deadline = deadlineOf(options);
    return this.#pidfd === undefined || waitReadySync(this.#pidfd, READABLE, deadline);
  }

  /** @internal */
  close(): void {
    if (this.#pidfd !== undefined) native.closeFd(this.#pidfd);
    this.#pidfd = undefined;
  }
}
