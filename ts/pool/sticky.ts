/** Tasks with a key: those of the same key are run by the same worker, as long as it lives. */

import type { Source } from './agenda.js';
import type { Generation } from './generation.js';
import type { Job } from './job.js';
import type { Worker } from './worker.js';

/** Keys that are remembered, those that were used last. */
const MOST = 10_000;

export class Sticky {
  readonly #workers: Map<Generation, Map<unknown, Worker>> = new Map();
  /** Who waits for their worker. */
  readonly #parked: Map<Worker, Source[]> = new Map();

  get parked(): number {
    let count = 0;
    for (const sources of this.#parked.values()) for (const { waiting } of sources) count += waiting;
    return count;
  }

  /** Who has the source's key; undefined when anybody may. */
  workerFor({ key, generation }: Source): Worker | undefined {
    if (key === undefined) return undefined;
    const worker = this.#workers.get(generation)?.get(key);
    return worker?.state === 'ready' && worker.tasksLeft > 0 ? worker : undefined;
  }

  bind({ key, generation }: Job, worker: Worker): void {
    if (key === undefined) return;
    const keys = this.#workers.get(generation) ?? new Map<unknown, Worker>();
    this.#workers.set(generation, keys);
    keys.delete(key);
    keys.set(key, worker);
    if (keys.size > MOST) keys.delete(keys.keys().next().value);
  }

  /** Until its worker can take it. */
  park(worker: Worker, source: Source): void {
    const sources = this.#parked.get(worker);
    if (sources === undefined) this.#parked.set(worker, [source]);
    else sources.push(source);
  }

  unpark(mayTake: (worker: Worker) => boolean, give: (worker: Worker, source: Source) => void): void {
    for (const [worker, sources] of this.#parked) {
      while (sources.length > 0 && mayTake(worker)) give(worker, sources.shift() as Source);
      if (sources.length === 0) this.#parked.delete(worker);
    }
  }

  /** The worker has ended, or is about to: who waited for it is anybody's. */
  release(worker: Worker, take: (source: Source) => void): void {
    const sources = this.#parked.get(worker) ?? [];
    this.#parked.delete(worker);
    const { generation } = worker;
    if (generation.workers.size === 0) this.#workers.delete(generation);
    for (const source of sources) take(source);
  }
}
