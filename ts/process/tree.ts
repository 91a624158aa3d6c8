/** This process's place in the tree of processes: who it is, who started it, whom it has started. */

import { builtin } from '../internal/builtins.js';
import { perProcess } from '../internal/per_process.js';
import type { ParentProcess } from './parent.js';
import type { Process } from './process.js';

export class Tree {
  /** The Process object that this process runs; undefined in the main process. */
  self: Process | undefined;
  parent: ParentProcess | undefined;
  /** Started here and not known to have ended. */
  readonly children: Set<Process> = new Set();
  /** '' in the main process, '2' in its second child, '2:1' in that one's first. */
  path: string = '';
  /** True in a daemon and all that descends from it: it ends with its parent. */
  insideDaemon: boolean = false;
  /** True while a fresh process imports the modules of what it is to run: nothing may be started from there. */
  bootstrapping: boolean = false;
  #created = 0;
  #authKey: Uint8Array | undefined;

  /** The number of the next process created here, the parents' numbers before it. */
  nextPath(): string {
    this.#created += 1;
    return this.path === '' ? String(this.#created) : `${this.path}:${this.#created}`;
  }

  /** Makes a Process object that is none of the numbered children. */
  unnumbered<P>(make: () => P): P {
    const created = this.#created;
    try {
      return make();
    } finally {
      this.#created = created;
    }
  }

  get authKey(): Uint8Array {
    this.#authKey ??= builtin.crypto().randomBytes(32);
    return this.#authKey;
  }
  set authKey(key: Uint8Array) {
    this.#authKey = key;
  }

  /** In a forked child: a new branch, on which nothing has grown. */
  startAnew(): this {
    this.children.clear();
    this.#created = 0;
    this.parent?.close();
    this.parent = undefined;
    return this;
  }
}

/** The name of the process that the user started. */
export const MAIN_PROCESS = 'MainProcess';

export const tree: Tree = perProcess(
  () => new Tree(),
  (inherited) => inherited.startAnew(),
).value;

/** What this process is called. */
export function nameOfThis(): string {
  return tree.self?.name ?? MAIN_PROCESS;
}
