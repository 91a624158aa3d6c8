/** Which workers know which function. */

import type { CoreOptions } from './core.js';
import type { TaskFunction } from './functions.js';
import { Generation } from './generation.js';
import { type Host, ProcessHost } from './host.js';
import { Template } from './template.js';

/** Generations that are kept for functions that may be submitted again; each has a copy of the program. */
const MOST = 8;

export class Generations {
  readonly all: Set<Generation> = new Set();
  readonly #options: CoreOptions;
  readonly #ofClosure: WeakMap<object, Generation> = new WeakMap();
  /** When its last closure is gone nobody can ask for a generation. */
  readonly #closures: Map<Generation, number> = new Map();
  readonly #forgotten: FinalizationRegistry<Generation> = new FinalizationRegistry((generation) => {
    const left = (this.#closures.get(generation) ?? 0) - 1;
    this.#closures.set(generation, left);
    if (left === 0 && generation.unfinished === 0 && generation !== this.#newest) this.#end(generation);
  });
  readonly #hosts: Set<Host> = new Set();
  #newest: Generation | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  /** The one that knows this function, or will. */
  of({ closure }: TaskFunction): Generation {
    if (closure === undefined) return this.#usable(this.#newest) ?? this.#make();
    const known = this.#usable(this.#ofClosure.get(closure));
    if (known !== undefined) return known;
    const generation = this.#newest?.isOpen === true && !this.#newest.isClosed ? this.#newest : this.#make();
    this.#ofClosure.set(closure, generation);
    this.#closures.set(generation, (this.#closures.get(generation) ?? 0) + 1);
    this.#forgotten.register(closure, generation);
    return generation;
  }

  #usable(generation: Generation | undefined): Generation | undefined {
    return generation?.isClosed === true ? undefined : generation;
  }

  #make(): Generation {
    for (const generation of this.all) {
      if (this.all.size < MOST) break;
      if (generation.unfinished === 0) this.#end(generation);
    }
    const generation = new Generation();
    this.all.add(generation);
    this.#newest = generation;
    return generation;
  }

  hostOf(generation: Generation): Host {
    if (generation.host === undefined || generation.host.isLost) {
      const { method, orSpawn, initArgs } = this.#options;
      const host = method === 'fork' ? new Template(initArgs) : new ProcessHost(method, orSpawn);
      this.#hosts.add(host);
      void host.ended.then(() => this.#hosts.delete(host));
      generation.host = host;
    }
    return generation.host;
  }

  #end(generation: Generation): void {
    generation.isClosed = true;
    generation.seal();
    this.all.delete(generation);
    for (const worker of generation.workers) worker.leave();
    generation.host?.close();
  }

  /** Ends all workers that are left. */
  close(): void {
    for (const generation of [...this.all]) this.#end(generation);
  }

  /** Resolves when nothing of them is left. */
  get ended(): Promise<unknown> {
    return Promise.all([...this.#hosts].map((host) => host.ended));
  }
}
