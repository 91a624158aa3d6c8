/** What becomes of a pool's workers, and of what they had. */

import type { CoreOptions } from './core.js';
import type { Crew, CrewListener } from './crew.js';
import type { Dispatcher } from './dispatcher.js';
import type { Generation } from './generation.js';
import type { Job } from './job.js';
import type { Statistics } from './statistics.js';
import type { Worker } from './worker.js';

/** Workers that may end, one after the other, before they could work. */
const MOST_FAILURES = 3;
/** The same, of those that were killed: by somebody who may well kill a few. */
const MOST_KILLED = 20;

/** The pool, for who looks after its workers. */
export interface Supervised {
  readonly options: CoreOptions;
  readonly statistics: Statistics;
  readonly dispatcher: Dispatcher;
  readonly crew: Crew;
  readonly isTerminated: boolean;
  /** It can't do its work any more. */
  break(message: string, cause: unknown): void;
  endWhenQuiet(): void;
}

export class Supervisor implements CrewListener {
  readonly #pool: Supervised;

  constructor(pool: Supervised) {
    this.#pool = pool;
  }

  /** It could not be started. */
  lost(worker: Worker, error: unknown): void {
    // First: who is buried may have another one started in its place.
    this.hopeless(worker.generation, error);
    this.#pool.dispatcher.putBack(worker.bury(0));
    this.#pool.dispatcher.dispatch();
    this.#pool.endWhenQuiet();
  }

  /** Without workers, and without means to get some, nothing of it can be done. */
  hopeless(generation: Generation, error: unknown): void {
    generation.failures += 1;
    if (generation.workers.size > 0) return;
    if (generation.host?.isLost === true && generation.failures < MOST_FAILURES) return;
    for (const source of [...this.#pool.dispatcher.agenda]) if (source.generation === generation) source.fail(error);
  }

  ended(worker: Worker, exitCode: number): void {
    worker.hearLast();
    const { state } = worker;
    if (this.#pool.options.strict && state === 'ready' && !this.#pool.isTerminated) {
      this.#pool.break('a worker died', worker.death(exitCode, worker.outstanding[0]?.task.name));
    }
    if (state !== 'starting') worker.generation.failures = 0;
    this.#pool.dispatcher.putBack(worker.bury(exitCode));
    this.#pool.dispatcher.release(worker);
    if (state === 'starting' && !this.#pool.isTerminated) this.#mourn(worker, exitCode);
    this.#pool.dispatcher.dispatch();
    this.#pool.endWhenQuiet();
  }

  /** It never worked. A signal may have been meant for it alone, all else would happen to the next one as well. */
  #mourn({ generation, name, pid }: Worker, exitCode: number): void {
    generation.failures += 1;
    if (exitCode < 0 && generation.failures < MOST_KILLED) return;
    const what = `${name} (pid ${pid}) ended with ${exitCode} before it could work`;
    this.#pool.break(what, new Error(what));
  }

  // ---- what they tell

  ready({ generation }: Worker): void {
    generation.failures = 0;
  }

  unfit(worker: Worker, error: unknown): void {
    this.#pool.break(`the initializer failed in ${worker.name}`, error);
  }

  memory(worker: Worker, bytes: number): void {
    const { maxMemoryPerChild } = this.#pool.options;
    if (bytes <= maxMemoryPerChild) return;
    this.#pool.dispatcher.putBack(worker.takeBack());
    worker.tasksLeft = 0;
    this.#letGo(worker);
  }

  over(worker: Worker, job: Job, milliseconds: number | undefined): void {
    this.#pool.statistics.ended(job, milliseconds);
    this.#letGo(worker);
    this.#pool.dispatcher.finish(job);
  }

  #letGo(worker: Worker): void {
    if (worker.tasksLeft <= 0 && worker.isIdle) worker.leave();
  }

  heard(): void {
    this.#pool.dispatcher.dispatch();
    this.#pool.crew.tidyLater();
    this.#pool.endWhenQuiet();
  }
}
