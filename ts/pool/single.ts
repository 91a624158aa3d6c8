/** The source of one job. */

import type { Source } from './agenda.js';
import type { Generation } from './generation.js';
import type { Job } from './job.js';

export class Single implements Source {
  readonly priority: number;
  readonly order: number;
  readonly generation: Generation;
  readonly key: unknown;
  readonly asksUser = false;
  #job: Job | undefined;

  constructor(job: Job, priority: number, order: number) {
    this.#job = job;
    this.priority = priority;
    this.order = order;
    this.generation = job.generation;
    this.key = job.key;
    job.source = this;
  }

  get waiting(): number {
    return this.#job === undefined ? 0 : 1;
  }

  take(): Job | undefined {
    const job = this.#job;
    this.#job = undefined;
    if (job !== undefined) job.source = undefined;
    return job;
  }

  fail(error: unknown): void {
    const job = this.take();
    if (job === undefined) return;
    for (let item = 0; item < job.count; item += 1) job.owner.fail(job, item, error);
    job.owner.finish(job);
  }
}
