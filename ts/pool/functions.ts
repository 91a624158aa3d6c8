/**
 * Functions of tasks by number. A closure reaches workers as what it is: they are copies of this process, and find it in
 * their copy of this table. What any process finds by a place in a module is imported.
 */

import { type Place, placeIn } from '../internal/importables.js';
import { perProcess } from '../internal/per_process.js';
import { placeOf } from '../process/importable.js';
import type { StartMethod } from '../process/start_method.js';
import { resolveTarget } from '../process/target.js';

export type Callable = (...args: readonly unknown[]) => unknown;

export interface TaskFunction {
  readonly number: number;
  /** For messages. */
  readonly name: string;
  /** Where any process finds it; undefined for a closure. */
  readonly place: Place | undefined;
  /** Keeps it alive while tasks want it. */
  readonly closure: Callable | undefined;
}

class FunctionTable {
  #count = 0;
  readonly #numbers = new WeakMap<object, number>();
  /** Weak: a program may make a new closure for each call. */
  readonly #closures = new Map<number, WeakRef<Callable>>();
  readonly #forgotten = new FinalizationRegistry<number>((number) => this.#closures.delete(number));
  readonly #places = new Map<string, number>();

  numberOf(closure: Callable): number {
    const known = this.#numbers.get(closure);
    if (known !== undefined) return known;
    this.#count += 1;
    this.#numbers.set(closure, this.#count);
    this.#closures.set(this.#count, new WeakRef(closure));
    this.#forgotten.register(closure, this.#count);
    return this.#count;
  }

  numberOfPlace({ module, exportName }: Place): number {
    const key = `${module}#${exportName}`;
    const number = this.#places.get(key) ?? ++this.#count;
    this.#places.set(key, number);
    return number;
  }

  closureAt(number: number): Callable | undefined {
    return this.#closures.get(number)?.deref();
  }

  /** For who is to have them for good. */
  all(): readonly Callable[] {
    return [...this.#closures.values()].flatMap((each) => each.deref() ?? []);
  }
}

/** A forked child goes on with its parent's: that is the point. */
const table = perProcess(
  () => new FunctionTable(),
  (inherited) => inherited,
);

/**
 * What a task is to run, checked. Fresh workers can't have a closure.
 * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET.
 */
export function taskFunctionOf(target: unknown, method: StartMethod, name: string = 'task'): TaskFunction {
  const found = resolveTarget(target, name);
  if (typeof found !== 'function') {
    return { number: table.value.numberOfPlace(found), name: found.exportName, place: found, closure: undefined };
  }
  const place = method === 'fork' ? placeIn(found) : placeOf(found, method);
  const called = found.name === '' ? 'an anonymous function' : found.name;
  if (place !== undefined) {
    return { number: table.value.numberOfPlace(place), name: called, place, closure: undefined };
  }
  return { number: table.value.numberOf(found), name: called, place: undefined, closure: found };
}

/** In a forked worker: the closure that its ancestor registered. */
export function closureNumbered(number: number): Callable | undefined {
  return table.value.closureAt(number);
}

/** All closures there are now. */
export function allClosures(): readonly Callable[] {
  return table.value.all();
}
