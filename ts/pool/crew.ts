/** The workers of a pool: when there are to be more of them, or fewer. */

import type { CoreOptions } from './core.js';
import type { Generation } from './generation.js';
import type { Generations } from './generations.js';
import type { HostedWorker } from './host.js';
import { Worker, type WorkerListener } from './worker.js';

/** A part of the limit that a worker's own may be lower by: not all are to be replaced at once. */
const JITTER = 0.1;
/** Workers that a template is asked for at a time. */
const MOST_STARTING = 2;
/** Milliseconds after which idle workers beyond the pool's number leave. */
const IDLE = 500;

export interface CrewListener extends WorkerListener {
  /** It could not be started. */
  lost(worker: Worker, error: unknown): void;
  /** None can be started. */
  hopeless(generation: Generation, error: unknown): void;
  ended(worker: Worker, exitCode: number): void;
}

export class Crew {
  readonly workers: Set<Worker> = new Set();
  readonly #options: CoreOptions;
  readonly #generations: Generations;
  readonly #listener: CrewListener;
  #names = 0;
  #tidying: NodeJS.Timeout | undefined;

  constructor(options: CoreOptions, generations: Generations, listener: CrewListener) {
    this.#options = options;
    this.#generations = generations;
    this.#listener = listener;
  }

  /** How many more workers may be given work. */
  get vacancies(): number {
    let active = 0;
    for (const worker of this.workers) if (!worker.isIdle || worker.state === 'starting') active += 1;
    return this.#options.processes - active;
  }

  /** Starts workers for what nobody has begun: what waits for any of the generation's, and what lies with busy ones. */
  grow(waitingFor: (generation: Generation) => number): void {
    let { vacancies } = this;
    for (const generation of this.#generations.all) {
      if (vacancies <= 0) return;
      // When the last one could not be started, those that are there go on; the next that gets ready, or ends, has it tried again.
      if (generation.failures > 0 && generation.workers.size > 0) continue;
      let wanted = waitingFor(generation);
      let starting = 0;
      let usable = 0;
      for (const { state, outstanding } of generation.workers) {
        if (state === 'leaving') continue;
        usable += 1;
        if (state === 'starting') starting += 1;
        else wanted += Math.max(0, outstanding.length - 1);
      }
      wanted = Math.min(wanted - starting, this.#options.processes - usable);
      // A template makes one after the other, and short tasks may be done before it has made all.
      if (this.#options.method === 'fork') wanted = Math.min(wanted, MOST_STARTING - starting);
      for (; wanted > 0 && vacancies > 0; wanted -= 1, vacancies -= 1) this.#start(generation);
    }
  }

  #start(generation: Generation): void {
    this.#makeRoom(generation);
    const { maxMemoryPerChild, initializer, initArgs, method } = this.#options;
    this.#names += 1;
    let worker: Worker;
    try {
      worker = new Worker(`Worker-${this.#names}`, generation, this.#taskLimit(), this.#listener);
    } catch (error) {
      this.#listener.hopeless(generation, error);
      return;
    }
    generation.workers.add(worker);
    this.workers.add(worker);
    worker.open();
    const assignment = {
      channel: worker.channel.theirs,
      initializer: initializer === undefined ? undefined : { fn: initializer.number, place: initializer.place },
      initArgs,
      isFresh: method !== 'fork',
      tellsMemory: maxMemoryPerChild !== Number.POSITIVE_INFINITY,
    };
    const started = this.#generations.hostOf(generation).start(worker.name, assignment);
    started.then(
      (hosted) => this.#started(worker, hosted),
      (error: unknown) => {
        this.#remove(worker);
        this.#listener.lost(worker, error);
      },
    );
  }

  #taskLimit(): number {
    const { maxTasksPerChild: most } = this.#options;
    return most === Number.POSITIVE_INFINITY ? most : most - Math.floor(Math.random() * JITTER * most);
  }

  #started(worker: Worker, hosted: HostedWorker): void {
    worker.channel.gaveAway();
    worker.hosted = hosted;
    void hosted.ended.then((exitCode) => {
      this.#remove(worker);
      this.#listener.ended(worker, exitCode);
    });
  }

  #remove(worker: Worker): void {
    worker.generation.workers.delete(worker);
    this.workers.delete(worker);
  }

  /** More workers than tasks may run at once are kept for a while, for functions that take turns. */
  #makeRoom(generation: Generation): void {
    if (this.workers.size < 2 * this.#options.processes) return;
    let oldest: Worker | undefined;
    for (const worker of this.workers) {
      if (worker.generation === generation || worker.state !== 'ready' || !worker.isIdle) continue;
      if (worker.lastUsed < (oldest?.lastUsed ?? Number.POSITIVE_INFINITY)) oldest = worker;
    }
    oldest?.leave();
  }

  tidyLater(): void {
    if (this.workers.size <= this.#options.processes) return;
    if (this.#tidying !== undefined) {
      this.#tidying.refresh();
      return;
    }
    this.#tidying = setTimeout(() => {
      this.#tidying = undefined;
      const idle = [...this.workers].filter(({ state, isIdle }) => state === 'ready' && isIdle);
      idle.sort((one, other) => one.lastUsed - other.lastUsed);
      for (const worker of idle.slice(0, this.workers.size - this.#options.processes)) worker.leave();
    }, IDLE).unref();
  }

  close(): void {
    clearTimeout(this.#tidying);
  }
}
