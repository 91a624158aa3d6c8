/** Which job goes to which worker. */

import { SerializationError } from '../errors.js';
import { Agenda, type Source } from './agenda.js';
import type { Crew } from './crew.js';
import type { Generation } from './generation.js';
import type { Generations } from './generations.js';
import type { Job } from './job.js';
import { KeepAlive } from './keep_alive.js';
import { Single } from './single.js';
import type { Statistics } from './statistics.js';
import { Sticky } from './sticky.js';
import type { Worker } from './worker.js';

export class Dispatcher {
  readonly #processes: number;
  readonly #generations: Generations;
  readonly #crew: Crew;
  readonly #statistics: Statistics;
  readonly #agenda: Agenda = new Agenda();
  readonly #sticky: Sticky = new Sticky();
  readonly #keepAlive: KeepAlive = new KeepAlive();
  #isDispatching = false;
  #isStopped = false;

  constructor(processes: number, generations: Generations, crew: Crew, statistics: Statistics) {
    this.#processes = processes;
    this.#generations = generations;
    this.#crew = crew;
    this.#statistics = statistics;
  }

  get agenda(): ReadonlySet<Source> {
    return this.#agenda.all;
  }

  /** Tasks that wait for the worker of their key. */
  get parked(): number {
    return this.#sticky.parked;
  }

  /** There is something to be done now. No effect when it is known. */
  offer(source: Source): void {
    this.#agenda.add(source);
    this.dispatch();
  }

  /** The worker has ended: who waited for it is anybody's. */
  release(worker: Worker): void {
    this.#sticky.release(worker, (source) => this.#agenda.add(source));
  }

  /** All that waits fails; nothing is given out any more. */
  stop(error: unknown): void {
    this.#isStopped = true;
    for (const source of [...this.#agenda.all]) source.fail(error);
    while (this.#agenda.first !== undefined) this.#agenda.removeFirst();
    for (const worker of this.#crew.workers) this.#sticky.release(worker, (source) => source.fail(error));
  }

  /** The process need not stay alive for it. */
  close(): void {
    this.#keepAlive.close();
  }

  /** Nothing of it is left to do. */
  finish(job: Job): void {
    job.release();
    job.owner.finish(job);
  }

  /** Gives out what can be given out now, and has workers started for the rest. */
  dispatch(): void {
    if (this.#isDispatching || this.#isStopped) return;
    this.#isDispatching = true;
    try {
      try {
        do this.#assign();
        while (this.#spread());
      } finally {
        this.#wake();
      }
      if (!this.#isStopped) this.#crew.grow((generation) => this.#waitingFor(generation, this.#processes));
    } finally {
      this.#isDispatching = false;
    }
    this.#keepAlive.set(this.#agenda.first !== undefined || [...this.#crew.workers].some(({ isIdle }) => !isIdle));
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

  #wake(): void {
    for (const worker of this.#crew.workers) worker.wake();
  }

  #give(worker: Worker, source: Source): void {
    if (source.asksUser) this.#wake();
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
        this.#statistics.began(job);
        return;
      }
      this.putBack([job]);
    } catch (error) {
      if (job.count > 1 && error instanceof SerializationError) {
        this.putBack(Array.from({ length: job.count }, (_, item) => job.part(item, item + 1)));
        this.finish(job);
        return;
      }
      for (let item = 0; item < job.count; item += 1) job.owner.fail(job, item, error);
      this.finish(job);
    }
  }

  /** Jobs that somebody had are the next of their kind. */
  putBack(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.isAbandoned) this.finish(job);
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
      this.putBack(back);
      if (back.length > 0) return true;
    }
    return false;
  }
}
