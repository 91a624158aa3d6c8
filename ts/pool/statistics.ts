/** What a pool has done so far. */

import { Histogram, type TimeSummary } from './histogram.js';
import type { Job } from './job.js';

/** Of one worker. Python: none. */
export interface WorkerStats {
  /** As of its Process. */
  readonly name: string;
  /** As of its Process. */
  readonly pid: number;
  /** Whether it has a task. */
  readonly isBusy: boolean;
  /** How many tasks it has done. */
  readonly done: number;
  /** Bytes: its proportional set size (PSS). 0 when it has just ended. */
  readonly memory: number;
}

/** Of a pool so far. A chunk of a map counts as one task. Times in milliseconds. Python: none. */
export interface PoolStats {
  /** How many tasks are not begun; of a map without a length, what has been read. */
  readonly queued: number;
  /** How many tasks run. */
  readonly running: number;
  /** How many tasks are done. */
  readonly done: number;
  /** How many of those that are done ended with an error. */
  readonly failed: number;
  /** From the call to the begin. */
  readonly waitTime: TimeSummary;
  /** From the begin to the end. */
  readonly runTime: TimeSummary;
  /** Part of the workers' time in which they worked, since the pool's first task: 0 to 1. */
  readonly utilisation: number;
  /** Each worker there is now. */
  readonly workers: readonly WorkerStats[];
}

export class Statistics {
  readonly #processes: number;
  readonly waitTime: Histogram = new Histogram();
  readonly runTime: Histogram = new Histogram();
  done = 0;
  failed = 0;
  #busy = 0;
  #since: number | undefined;

  constructor(processes: number) {
    this.#processes = processes;
  }

  /** It was sent to a worker; what is taken back and sent to another one counts once. */
  began(job: Job): void {
    if (job.isCounted) return;
    job.isCounted = true;
    const now = performance.now();
    this.#since ??= now;
    this.waitTime.record(now - job.since);
  }

  ended(job: Job, milliseconds: number | undefined): void {
    this.done += 1;
    if (job.hasFailed) this.failed += 1;
    if (milliseconds === undefined) return;
    this.runTime.record(milliseconds);
    this.#busy += milliseconds;
  }

  get utilisation(): number {
    if (this.#since === undefined) return 0;
    return Math.min(1, this.#busy / ((performance.now() - this.#since) * this.#processes || 1));
  }
}
