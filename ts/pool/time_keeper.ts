/** The time limits of what a worker runs, counted from the begin of each call. */

import { TimeoutError } from '../errors.js';
import type { Job } from './job.js';
import type { Worker } from './worker.js';

const LONGEST_TIMER = 2 ** 31 - 1;

export class TimeKeeper {
  readonly #worker: Worker;
  #timer: NodeJS.Timeout | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** A job with a limit was sent. */
  watch(): void {
    if (this.#timer === undefined) this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const next = this.#expireRunning();
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(1, Math.ceil(next)), LONGEST_TIMER)).unref();
  }

  /** Milliseconds until the next look; infinity when nothing has a limit. */
  #expireRunning(): number {
    const { outstanding, progress } = this.#worker;
    const timed = outstanding.filter((job) => job.isTimed && !job.isAbandoned);
    const [job] = outstanding;
    const shortest = Math.min(...timed.map(({ limits }) => limits.timeout));
    if (job === undefined || !job.isTimed || job.isAbandoned || !this.#worker.runs(job)) return shortest;
    const { item, elapsed } = progress;
    // The next call may have begun meanwhile.
    if (progress.item !== item || job.expired?.has(item) === true) return shortest;
    if (elapsed < job.limits.timeout) return job.limits.timeout - elapsed;
    this.#expire(job, item);
    return shortest;
  }

  #expire(job: Job, item: number): void {
    const error = new TimeoutError(`${job.task.name} did not end within ${job.limits.timeout} ms`);
    job.expired ??= new Set();
    job.expired.add(item);
    this.#worker.abort(job, item, error);
    job.owner.fail(job, item, error);
  }
}
