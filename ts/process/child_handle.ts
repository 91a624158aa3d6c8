/** A started child as the kernel knows it: its pid, a pidfd that polls readable at its end, and how it ended. */

import type { Deadline } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import { READABLE, stopWaiting, waitReadySync, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';
import { WEXITED, WNOHANG } from '../posix/numbers.js';

/** What is told when somebody else has reaped the child: Python's forkserver says the same of a lost one. */
const STATUS_LOST = 255;

/** Descriptors of open handles. The parent's children are not a forked child's own, where they would outlive it. */
const openPidfds = perProcess(
  () => new Set<number>(),
  (inherited) => {
    for (const pidfd of inherited) native.closeFd(pidfd);
    return new Set();
  },
);

const lostHandles = new FinalizationRegistry<{ pidfd: number; owner: number }>(({ pidfd, owner }) => {
  if (owner === process.pid && openPidfds.value.delete(pidfd)) native.closeFd(pidfd);
});

export class ChildHandle {
  readonly pid: number;
  readonly pidfd: number;
  #exitCode: number | undefined;

  /** Owns the pidfd from here on. */
  constructor(pid: number, pidfd: number) {
    this.pid = pid;
    this.pidfd = pidfd;
    openPidfds.value.add(pidfd);
    lostHandles.register(this, { pidfd, owner: process.pid }, this);
  }

  /** How the child ended, undefined while it runs; reaps it. Never blocks. */
  poll(): number | undefined {
    if (this.#exitCode !== undefined) return this.#exitCode;
    try {
      const change = native.waitidPidfd(this.pidfd, WEXITED | WNOHANG);
      if (change !== undefined) this.#exitCode = change.state === 'exited' ? change.value : -change.value;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error;
      this.#exitCode = STATUS_LOST;
    }
    return this.#exitCode;
  }

  /** Resolves true when the child has ended, false on time-out. */
  async join(deadline: Deadline, signal?: AbortSignal, ref: boolean = true): Promise<boolean> {
    if (this.poll() !== undefined) return true;
    const ended = await whenReady(this.pidfd, READABLE, deadline, signal, { ref });
    return ended && this.poll() !== undefined;
  }

  /** The same, blocking. */
  joinSync(deadline: Deadline): boolean {
    if (this.poll() !== undefined) return true;
    return waitReadySync(this.pidfd, READABLE, deadline) && this.poll() !== undefined;
  }

  /** No effect on an ended child: the pidfd can't mean another process. */
  signal(number: number): void {
    if (this.poll() !== undefined) return;
    try {
      native.pidfdSendSignal(this.pidfd, number);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  close(): void {
    lostHandles.unregister(this);
    if (!openPidfds.value.delete(this.pidfd)) return;
    stopWaiting(this.pidfd);
    native.closeFd(this.pidfd);
  }
}
