/** What a pool has done so far. */

import { Histogram, type TimeSummary } from './histogram.js';
import type { Job } from './job.js';

/** Of one worker. */
export interface WorkerStats {
  readonly name: string;
  readonly pid: number;
  readonly isBusy: boolean;
  readonly done: number;
  /** Bytes: its proportional set size (PSS). 0 when it has just ended. */
  readonly memory: number;
}

/** A chunk of a map counts as one task. Times in milliseconds. */
export interface PoolStats {
  /** Not begun; of a map without a length, what has been read. */
  readonly queued: number;
  readonly running: number;
  readonly done: number;
  /** Of those done: with an error. */
  readonly failed: number;
  /** From the call to the begin. */
  readonly waitTime: TimeSummary;
  readonly runTime: TimeSummary;
  /** Part of the workers' time in which they worked, since the pool's first task: 0 to 1. */
  readonly utilisation: number;
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
