/** What is to be done next: sources of jobs, by priority, then in the order in which they came. */

import type { Generation } from './generation.js';
import type { Job } from './job.js';

/** One job, or many of which the next is made when a worker can take it. */
export interface Source {
  readonly priority: number;
  readonly order: number;
  readonly generation: Generation;
  /** Those of the same key have the same worker. */
  readonly key: unknown;
  /** How many jobs there are now, at least. */
  readonly waiting: number;
  /** take() runs code of the user's, which may wait for a task that was sent before. */
  readonly asksUser: boolean;
  take(): Job | undefined;
  /** Nothing of it can be done. */
  fail(error: unknown): void;
}

/** A binary heap. */
export class Agenda {
  readonly #heap: Source[] = [];
  readonly #members: Set<Source> = new Set();

  get first(): Source | undefined {
    return this.#heap[0];
  }

  get all(): ReadonlySet<Source> {
    return this.#members;
  }

  /** No effect when it is there already. */
  add(source: Source): void {
    if (this.#members.has(source)) return;
    this.#members.add(source);
    const heap = this.#heap;
    let at = heap.push(source) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(source, heap[above] as Source)) break;
      heap[at] = heap[above] as Source;
      at = above;
    }
    heap[at] = source;
  }

  removeFirst(): void {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return;
    this.#members.delete(first);
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Source, heap[below] as Source)) below += 1;
      if (!isBefore(heap[below] as Source, last)) break;
      heap[at] = heap[below] as Source;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Source, other: Source): boolean {
  return one.priority > other.priority || (one.priority === other.priority && one.order < other.order);
}
