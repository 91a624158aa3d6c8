/** The process that started this one. */

import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';

/** The parent by its pid as long as it is our parent, and by a pidfd from then on that somebody waits for it. */
export class ParentProcess {
  readonly pid: number;
  readonly name: string;
  #pidfd: number | undefined;

  /** Owns the pidfd; without one it must be this process's parent to the kernel too. */
  constructor(pid: number, name: string, pidfd?: number) {
    this.pid = pid;
    this.name = name;
    this.#pidfd = pidfd;
  }

  /** Never blocks. */
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

  /** Resolves true once the parent has ended, false on time-out. The wait keeps this process alive. */
  async join(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    const sentinel = this.#sentinel();
    return sentinel === undefined || whenReady(sentinel, READABLE, deadline, signal);
  }

  /** The same, blocking. */
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
