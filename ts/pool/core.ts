/** The heart of a pool: what is submitted, until it is over; and the pool's end. */

import { BrokenPoolError, CancelledError, InvalidStateError } from '../errors.js';
import type { StartMethod } from '../process/start_method.js';
import type { Source } from './agenda.js';
import { Crew } from './crew.js';
import { Dispatcher } from './dispatcher.js';
import type { TaskFunction } from './functions.js';
import type { Generation } from './generation.js';
import { Generations } from './generations.js';
import type { Job } from './job.js';
import { Statistics } from './statistics.js';
import { type Supervised, Supervisor } from './supervisor.js';
import type { Worker } from './worker.js';

export interface CoreOptions {
  readonly processes: number;
  readonly method: StartMethod;
  /** Where the fork server can't fork, nobody minds fresh processes. */
  readonly orSpawn: boolean;
  readonly initializer: TaskFunction | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly maxMemoryPerChild: number;
  /** A worker's death breaks the pool. */
  readonly strict: boolean;
}

/** A call of the pool's that is not settled. */
export interface Undertaking {
  readonly generation: Generation;
  /** Settles it. */
  fail(error: unknown): void;
  /** The pool was closed: nobody will take its time. */
  hurry?(): void;
}

export class Core implements Supervised {
  readonly options: CoreOptions;
  readonly statistics: Statistics;
  readonly #generations: Generations;
  readonly crew: Crew;
  readonly dispatcher: Dispatcher;
  readonly #undertakings: Set<Undertaking> = new Set();
  readonly #owner: number = process.pid;
  #order = 0;
  #isClosed = false;
  #isTerminated = false;
  #broken: BrokenPoolError | undefined;
  #end: () => void = () => {};
  readonly whenEnded: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });

  constructor(options: CoreOptions) {
    this.options = options;
    this.statistics = new Statistics(options.processes);
    this.#generations = new Generations(options);
    this.crew = new Crew(options, this.#generations, new Supervisor(this));
    this.dispatcher = new Dispatcher(options.processes, this.#generations, this.crew, this.statistics);
  }

  // ---- for who submits

  /** @throws ERR_MP_BROKEN_POOL; ERR_MP_INVALID_STATE */
  mustBeOpen(): void {
    this.mustBeOwn();
    if (this.#broken !== undefined) throw new BrokenPoolError(this.#broken.message, { cause: this.#broken.cause });
    if (this.#isTerminated) throw new InvalidStateError('this pool was terminated: it takes no more work');
    if (this.#isClosed) throw new InvalidStateError('this pool is closed: it takes no more work');
  }

  /** False in a forked child of the process that made it. */
  get isOwn(): boolean {
    return this.#owner === process.pid;
  }

  mustBeOwn(): void {
    if (this.isOwn) return;
    throw new InvalidStateError('this pool belongs to the process that made it: make another one here');
  }

  /** Closed by who has it, and not by a failure. */
  get isShut(): boolean {
    return this.#isClosed && this.#broken === undefined;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isTerminated(): boolean {
    return this.#isTerminated;
  }

  /** The workers that run this function, with what it captured as it was when this was first called. */
  generationOf(task: TaskFunction): Generation {
    return this.#generations.of(task);
  }

  /** Resolves when that generation's host is there. */
  prepare(task: TaskFunction): Promise<void> {
    return this.#generations.hostOf(this.generationOf(task)).ready;
  }

  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  /** Until leave() close() waits for it. */
  enter(undertaking: Undertaking): void {
    this.#undertakings.add(undertaking);
    undertaking.generation.unfinished += 1;
  }

  leave(undertaking: Undertaking): void {
    if (!this.#undertakings.delete(undertaking)) return;
    undertaking.generation.unfinished -= 1;
    this.endWhenQuiet();
  }

  /** There is something to be done now. No effect when it is known. */
  offer(source: Source): void {
    this.dispatcher.offer(source);
  }

  /** Not to be begun; if it runs nobody wants its results. */
  forget(job: Job): void {
    if (job.isAbandoned) return;
    job.isAbandoned = true;
    const { worker, source } = job;
    if (worker !== undefined && !worker.runs(job)) this.dispatcher.putBack(worker.takeBack());
    else if (worker === undefined && source?.take() === job) this.dispatcher.finish(job);
    this.dispatcher.dispatch();
  }

  /** Not to be begun, or to be stopped if it runs. */
  abandon(job: Job, reason: unknown): void {
    this.forget(job);
    job.worker?.abort(job, -1, reason);
  }

  /** False when a worker has begun it; else it is nobody's, and over. */
  withdraw(job: Job): boolean {
    const { worker } = job;
    if (worker?.runs(job) === true) return false;
    if (worker !== undefined) this.dispatcher.putBack(worker.takeBack());
    const isOurs = job.worker === undefined && job.source?.take() === job;
    if (isOurs) this.dispatcher.finish(job);
    this.dispatcher.dispatch();
    return isOurs;
  }

  get pids(): number[] {
    return [...this.workers].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  get workers(): ReadonlySet<Worker> {
    return this.crew.workers;
  }

  // ---- the end

  close(): void {
    this.mustBeOwn();
    this.#isClosed = true;
    for (const undertaking of [...this.#undertakings]) undertaking.hurry?.();
    this.endWhenQuiet();
  }

  terminate(error: Error = new CancelledError('the pool was terminated')): void {
    this.mustBeOwn();
    if (this.#isTerminated) return;
    this.#isClosed = true;
    this.#isTerminated = true;
    const jobs = [...this.workers].flatMap(({ outstanding }) => outstanding);
    for (const worker of this.workers) worker.takeBack();
    this.dispatcher.stop(error);
    for (const job of jobs) {
      if (!job.isAbandoned) for (let item = job.told; item < job.count; item += 1) job.owner.fail(job, item, error);
      job.isAbandoned = true;
      if (job.worker === undefined) this.dispatcher.finish(job);
    }
    for (const undertaking of [...this.#undertakings]) undertaking.fail(error);
    this.#generations.close();
    this.endWhenQuiet();
  }

  break(message: string, cause: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = new BrokenPoolError(message, { cause });
    this.terminate(this.#broken);
  }

  endWhenQuiet(): void {
    if (!this.#isClosed || (this.#undertakings.size > 0 && !this.#isTerminated)) return;
    if (!this.#isTerminated) {
      for (const worker of this.workers) {
        if (worker.outstanding.length > 0) return;
        worker.leave();
      }
      if (this.workers.size > 0) return;
    }
    this.crew.close();
    this.dispatcher.close();
    this.#generations.close();
    if (this.workers.size > 0) return;
    void this.#generations.ended.then(() => this.#end());
  }
}
