/** Workers that know the same functions. */

import { onFork } from '../fork/hooks.js';
import { perProcess } from '../internal/per_process.js';
import type { Host } from './host.js';
import type { Worker } from './worker.js';

export class Generation {
  readonly workers: Set<Worker> = new Set();
  /** The one from whose memory its workers come; made when the first is needed. */
  host: Host | undefined;
  /** Jobs that no worker has been given yet. */
  waiting = 0;
  /** Jobs that are not over. */
  unfinished = 0;
  /** Workers, or the host, that ended before they could work, one after the other. */
  failures = 0;
  #isOpen = true;
  isClosed = false;

  constructor() {
    generations.value.add(this);
  }

  /** Functions can be added: nobody has been forked yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  seal(): void {
    this.#isOpen = false;
    generations.value.delete(this);
  }

  get starting(): number {
    let count = 0;
    for (const { state } of this.workers) if (state === 'starting') count += 1;
    return count;
  }
}

/** Those to which functions can be added. */
const generations = perProcess(() => new Set<Generation>());

// Whatever is forked: what is added later is not in its memory. A fork that was meant for somebody else does no harm.
onFork({
  before: () => {
    for (const generation of [...generations.value]) generation.seal();
  },
});
