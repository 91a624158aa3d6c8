/** A started process: its pid, a pidfd that polls readable at its end, and how it ended. */

import type { Connection } from '../connection/connection.js';
import type { Deadline } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import { READABLE, stopWaiting, waitReadySync, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';
import { WEXITED, WNOHANG } from '../posix/numbers.js';

/** What is told when somebody else has reaped the child, as Python does of one that is lost with its fork server. */
const STATUS_LOST = 255;
/** Milliseconds that the fork server has for its report once a child has ended. */
const REPORT_PATIENCE = 10_000;

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
  readonly #report: Connection | undefined;
  #exitCode: number | undefined;
  /** Called once, as soon as the end is known here, by whatever call. */
  onEnd: (() => void) | undefined;

  /** Owns the pidfd from here on; and `report`, where a process that is the fork server's child has its exit code told. */
  constructor(pid: number, pidfd: number, report?: Connection) {
    this.pid = pid;
    this.pidfd = pidfd;
    this.#report = report;
    openPidfds.value.add(pidfd);
    lostHandles.register(this, { pidfd, owner: process.pid }, this);
  }

  /** How the child ended, undefined while it runs; reaps it. Never blocks. */
  poll(): number | undefined {
    if (this.#exitCode !== undefined) return this.#exitCode;
    this.#exitCode = this.#report === undefined ? this.#reap() : this.#hear(this.#report);
    if (this.#exitCode !== undefined) this.onEnd?.();
    return this.#exitCode;
  }

  #reap(): number | undefined {
    try {
      const change = native.waitidPidfd(this.pidfd, WEXITED | WNOHANG);
      if (change === undefined) return undefined;
      return change.state === 'exited' ? change.value : -change.value;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error;
      return STATUS_LOST;
    }
  }

  /** The server reaps it at the same moment, so its word comes at once, if there is still a server. */
  #hear(report: Connection): number | undefined {
    if (!waitReadySync(this.pidfd, READABLE, Number.NEGATIVE_INFINITY)) return undefined;
    try {
      return report.recvSync({ timeout: REPORT_PATIENCE }) as number;
    } catch {
      return STATUS_LOST;
    } finally {
      report.close();
    }
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
    this.#report?.close();
  }
}
