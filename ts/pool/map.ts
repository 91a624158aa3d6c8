/** map() and starmap(): all results in one list. */

import { Batch } from './batch.js';
import type { Core } from './core.js';
import type { TaskFunction } from './functions.js';
import type { CheckedMapOptions } from './options.js';

/** Items of one chunk, unless the caller says otherwise: encoding them should not hold up the event loop. */
const LARGEST_CHUNK = 16_384;
/** Longer arrays, made with their length, are hash tables in V8. */
const LONGEST_DENSE = 32 * 2 ** 20;
/** Chunks for each worker. */
const CHUNKS = 4;

export class MapBatch extends Batch {
  readonly #resolve: (results: unknown[]) => void;
  readonly #reject: (error: unknown) => void;
  readonly #results: unknown[];
  #failure: { readonly error: unknown } | undefined;

  constructor(
    core: Core,
    task: TaskFunction,
    items: unknown,
    flags: number,
    options: CheckedMapOptions,
    settlement: { resolve(results: unknown[]): void; reject(error: unknown): void },
  ) {
    super(core, task, items, flags, options);
    this.#results = listOf(this.feed.total);
    this.#resolve = settlement.resolve;
    this.#reject = settlement.reject;
  }

  /** Python's rule, up to a limit. */
  protected defaultChunkSize(): number | undefined {
    const { total } = this.feed;
    if (total === undefined) return undefined;
    return Math.max(1, Math.min(LARGEST_CHUNK, Math.ceil(total / (this.core.options.processes * CHUNKS))));
  }

  protected put(position: number, values: ArrayLike<unknown>): void {
    const results = this.#results;
    while (results.length < position) results.push(undefined);
    for (let index = 0; index < values.length; index += 1) results[position + index] = values[index];
  }

  /** The first is kept; the others are run all the same. */
  protected putError(_position: number, error: unknown): void {
    this.#failure ??= { error };
  }

  protected end(failure: { readonly error: unknown } | undefined): void {
    const found = this.#failure ?? failure;
    if (found === undefined) this.#resolve(this.#results);
    else this.#reject(found.error);
  }

  protected breakOff(error: unknown): void {
    this.#reject(error);
  }
}

/** Room for so many results: a list that grows is copied again and again. */
function listOf(length: number | undefined): unknown[] {
  return length !== undefined && length <= LONGEST_DENSE ? new Array(length) : [];
}
