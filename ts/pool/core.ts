/** The heart of a pool: which job goes to which worker, and when there are to be more of them, or fewer. */

import { BrokenPoolError, CancelledError, InvalidStateError, SerializationError } from '../errors.js';
import type { StartMethod } from '../process/start_method.js';
import { Agenda, type Source } from './agenda.js';
import { Crew, type CrewListener } from './crew.js';
import type { TaskFunction } from './functions.js';
import type { Generation } from './generation.js';
import { Generations } from './generations.js';
import type { Job } from './job.js';
import { KeepAlive } from './keep_alive.js';
import { Single } from './single.js';
import { Statistics } from './statistics.js';
import { Sticky } from './sticky.js';
import type { Worker, WorkerListener } from './worker.js';

export interface CoreOptions {
  readonly processes: number;
  readonly method: StartMethod;
  readonly initializer: TaskFunction | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly maxMemoryPerChild: number;
  /** A worker's death breaks the pool. */
  readonly strict: boolean;
}

/** Workers that may end, one after the other, before they could work. */
const MOST_FAILURES = 3;
/** The same, of those that were killed: by somebody who may well kill a few. */
const MOST_KILLED = 20;

/** A call of the pool's that is not settled. */
export interface Undertaking {
  readonly generation: Generation;
  /** Settles it. */
  fail(error: unknown): void;
  /** The pool was closed: nobody will take its time. */
  hurry?(): void;
}

export class Core implements WorkerListener, CrewListener {
  readonly options: CoreOptions;
  readonly statistics: Statistics;
  readonly #agenda: Agenda = new Agenda();
  readonly #generations: Generations;
  readonly #crew: Crew;
  readonly #sticky: Sticky = new Sticky();
  readonly #undertakings: Set<Undertaking> = new Set();
  readonly #keepAlive: KeepAlive = new KeepAlive();
  readonly #owner: number = process.pid;
  #order = 0;
  #isClosed = false;
  #isDispatching = false;
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
    this.#crew = new Crew(options, this.#generations, this);
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
    this.#endWhenQuiet();
  }

  /** There is something to be done now. No effect when it is known. */
  offer(source: Source): void {
    this.#agenda.add(source);
    this.dispatch();
  }

  /** Not to be begun; if it runs nobody wants its results. */
  forget(job: Job): void {
    if (job.isAbandoned) return;
    job.isAbandoned = true;
    const { worker, source } = job;
    if (worker !== undefined && !worker.runs(job)) this.#putBack(worker.takeBack());
    else if (worker === undefined && source?.take() === job) this.#finish(job);
    this.dispatch();
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
    if (worker !== undefined) this.#putBack(worker.takeBack());
    const isOurs = job.worker === undefined && job.source?.take() === job;
    if (isOurs) this.#finish(job);
    this.dispatch();
    return isOurs;
  }

  get pids(): number[] {
    return [...this.workers].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  get workers(): ReadonlySet<Worker> {
    return this.#crew.workers;
  }

  get agenda(): ReadonlySet<Source> {
    return this.#agenda.all;
  }

  /** Tasks that wait for the worker of their key. */
  get parked(): number {
    return this.#sticky.parked;
  }

  // ---- the end

  close(): void {
    this.mustBeOwn();
    this.#isClosed = true;
    for (const undertaking of [...this.#undertakings]) undertaking.hurry?.();
    this.#endWhenQuiet();
  }

  terminate(error: Error = new CancelledError('the pool was terminated')): void {
    this.mustBeOwn();
    if (this.#isTerminated) return;
    this.#isClosed = true;
    this.#isTerminated = true;
    const jobs = [...this.workers].flatMap(({ outstanding }) => outstanding);
    for (const worker of this.workers) worker.takeBack();
    for (const source of [...this.#agenda.all]) source.fail(error);
    while (this.#agenda.first !== undefined) this.#agenda.removeFirst();
    for (const worker of this.workers) this.#sticky.release(worker, (source) => source.fail(error));
    for (const job of jobs) {
      if (!job.isAbandoned) for (let item = job.told; item < job.count; item += 1) job.owner.fail(job, item, error);
      job.isAbandoned = true;
      if (job.worker === undefined) this.#finish(job);
    }
    for (const undertaking of [...this.#undertakings]) undertaking.fail(error);
    this.#generations.close();
    this.#endWhenQuiet();
  }

  #break(message: string, cause: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = new BrokenPoolError(message, { cause });
    this.terminate(this.#broken);
  }

  #endWhenQuiet(): void {
    if (!this.#isClosed || (this.#undertakings.size > 0 && !this.#isTerminated)) return;
    if (!this.#isTerminated) {
      for (const worker of this.workers) {
        if (worker.outstanding.length > 0) return;
        worker.leave();
      }
      if (this.workers.size > 0) return;
    }
    this.#crew.close();
    this.#keepAlive.close();
    this.#generations.close();
    if (this.workers.size > 0) return;
    void this.#generations.ended.then(() => this.#end());
  }

  // ---- who does what

  dispatch(): void {
    if (this.#isDispatching || this.#isTerminated) return;
    this.#isDispatching = true;
    try {
      do this.#assign();
      while (this.#spread());
      if (!this.#isTerminated) this.#crew.grow((generation) => this.#waitingFor(generation, this.options.processes));
    } finally {
      this.#isDispatching = false;
    }
    this.#keepAlive.set(this.#agenda.first !== undefined || [...this.workers].some(({ isIdle }) => !isIdle));
  }

  #assign(): void {
    this.#sticky.unpark(
      (worker) => this.#mayTake(worker),
      (worker, source) => this.#give(worker, source),
    );
    for (let source = this.#agenda.first; source !== undefined; source = this.#agenda.first) {
      if (source.waiting === 0) {
        this.#agenda.removeFirst();
        continue;
      }
      const own = this.#sticky.workerFor(source);
      if (own !== undefined && !this.#mayTake(own)) {
        this.#agenda.removeFirst();
        this.#sticky.park(own, source);
        continue;
      }
      const worker = own ?? this.#workerFor(source);
      if (worker === undefined) return;
      this.#give(worker, source);
    }
  }

  #give(worker: Worker, source: Source): void {
    const job = source.take();
    if (job === undefined) return;
    this.#sticky.bind(job, worker);
    this.#send(worker, job);
  }

  #mayTake(worker: Worker): boolean {
    return worker.room > 0 && (!worker.isIdle || this.#crew.vacancies > 0);
  }

  /** Who takes the next job of this source; undefined when nobody can for now. */
  #workerFor({ generation }: Source): Worker | undefined {
    const mayBegin = this.#crew.vacancies > 0;
    let best: Worker | undefined;
    for (const worker of generation.workers) {
      if (worker.room <= 0 || (worker.isIdle && !mayBegin)) continue;
      if (worker.outstanding.length < (best?.outstanding.length ?? Number.POSITIVE_INFINITY)) best = worker;
    }
    return best;
  }

  /** Jobs of the generation that nobody has; not counted further than `enough`. */
  #waitingFor(generation: Generation, enough: number): number {
    let waiting = 0;
    for (const source of this.#agenda.all) {
      if (source.generation === generation) waiting += source.waiting;
      if (waiting >= enough) break;
    }
    return waiting;
  }

  #send(worker: Worker, job: Job): void {
    try {
      if (worker.send(job)) {
        this.statistics.began(job);
        return;
      }
      this.#putBack([job]);
    } catch (error) {
      if (job.count > 1 && error instanceof SerializationError) {
        this.#putBack(job.items.map((_, item) => job.part(item, item + 1)));
        this.#finish(job);
        return;
      }
      for (let item = 0; item < job.count; item += 1) job.owner.fail(job, item, error);
      this.#finish(job);
    }
  }

  /** Jobs that somebody had are the next of their kind. */
  #putBack(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.isAbandoned) this.#finish(job);
      else this.#agenda.add(new Single(job, job.priority, job.order));
    }
  }

  /** Takes what others have not begun for who has nothing to do; true when there was something. */
  #spread(): boolean {
    if (this.#agenda.first !== undefined) return false;
    for (const { workers } of this.#generations.all) {
      let idle = false;
      let busiest: Worker | undefined;
      for (const worker of workers) {
        if (worker.isIdle && worker.room > 0) idle = true;
        if (worker.unbegun > (busiest?.unbegun ?? 0)) busiest = worker;
      }
      if (!idle || busiest === undefined || this.#crew.vacancies <= 0) continue;
      const back = busiest.takeBack();
      this.#putBack(back);
      if (back.length > 0) return true;
    }
    return false;
  }

  // ---- what becomes of workers

  /** It could not be started. */
  lost(worker: Worker, error: unknown): void {
    this.#putBack(worker.bury(0));
    this.hopeless(worker.generation, error);
    this.dispatch();
    this.#endWhenQuiet();
  }

  /** Without workers, and without means to get some, nothing of it can be done. */
  hopeless(generation: Generation, error: unknown): void {
    generation.failures += 1;
    if (generation.workers.size > 0) return;
    if (generation.host?.isLost === true && generation.failures < MOST_FAILURES) return;
    for (const source of [...this.#agenda.all]) if (source.generation === generation) source.fail(error);
  }

  ended(worker: Worker, exitCode: number): void {
    worker.hearLast();
    const { state } = worker;
    if (this.options.strict && state === 'ready' && !this.#isTerminated) {
      this.#break('a worker died', worker.death(exitCode, worker.outstanding[0]?.task.name));
    }
    this.#putBack(worker.bury(exitCode));
    this.#sticky.release(worker, (source) => this.#agenda.add(source));
    if (state === 'starting' && !this.#isTerminated) this.#mourn(worker, exitCode);
    this.dispatch();
    this.#endWhenQuiet();
  }

  /** It never worked. A signal may have been meant for it alone, all else would happen to the next one as well. */
  #mourn({ generation, name, pid }: Worker, exitCode: number): void {
    generation.failures += 1;
    if (exitCode < 0 && generation.failures < MOST_KILLED) return;
    const what = `${name} (pid ${pid}) ended with ${exitCode} before it could work`;
    this.#break(what, new Error(what));
  }

  // ---- what workers tell

  ready({ generation }: Worker): void {
    generation.failures = 0;
  }

  unfit(worker: Worker, error: unknown): void {
    this.#break(`the initializer failed in ${worker.name}`, error);
  }

  memory(worker: Worker, bytes: number): void {
    const { maxMemoryPerChild } = this.options;
    if (bytes <= maxMemoryPerChild) return;
    this.#putBack(worker.takeBack());
    worker.tasksLeft = 0;
    this.#letGo(worker);
  }

  over(worker: Worker, job: Job, milliseconds: number | undefined): void {
    this.statistics.ended(job, milliseconds);
    this.#letGo(worker);
    this.#finish(job);
  }

  #finish(job: Job): void {
    job.release();
    job.owner.finish(job);
  }

  #letGo(worker: Worker): void {
    if (worker.tasksLeft <= 0 && worker.isIdle) worker.leave();
  }

  heard(): void {
    this.dispatch();
    this.#crew.tidyLater();
    this.#endWhenQuiet();
  }
}
