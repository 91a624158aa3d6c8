/** Keeps forked workers alive: who dies is replaced, and all are stopped together. */

import { setTimeout as delay } from 'node:timers/promises';
import { Process } from 'posix-multiprocessing';

/** Milliseconds before another try where workers fail at once: nobody is served by a storm of them. */
const PAUSE = 1000;

export class Supervisor {
  readonly #work: () => Promise<void>;
  readonly #report: (line: string) => void;
  readonly #workers = new Set<Process>();
  readonly #stop = new AbortController();

  /** `work` is what each worker does: it is captured with all that it refers to, and ends after SIGTERM. */
  constructor(work: () => Promise<void>, report: (line: string) => void) {
    this.#work = work;
    this.#report = report;
  }

  /** Resolves after stop(), when the last of `count` workers has ended. Rejects when fork is not possible at all. */
  async run(count: number): Promise<void> {
    const slots = Array.from({ length: count }, () => this.#man());
    try {
      await Promise.all(slots);
    } finally {
      this.stop();
      await Promise.allSettled(slots);
    }
  }

  /** Lets the workers finish what they have begun. Idempotent. */
  stop(): void {
    this.#stop.abort();
    for (const worker of this.#workers) worker.terminate();
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #man(): Promise<void> {
    for (let generation = 1; !this.#stopping; generation += 1) {
      const begin = performance.now();
      const failed = await this.#one(generation === 1);
      if (failed && performance.now() - begin < PAUSE) await this.#pause();
    }
  }

  /** The life of one worker. True when it ended by a failure of its own, or could not be started. */
  async #one(isFirst: boolean): Promise<boolean> {
    // A daemon: ends with this process, even when that is killed. Forked after stop() it sees that and does nothing.
    await using worker = new Process({ daemon: true, target: () => (this.#stopping ? undefined : this.#work()) });
    try {
      await worker.start();
    } catch (error) {
      if (isFirst) throw error;
      this.#report(`no worker could be started: ${(error as Error).message}`);
      return true;
    }
    this.#workers.add(worker);
    if (this.#stopping) worker.terminate();
    await worker.join();
    this.#workers.delete(worker);
    const exitCode = worker.exitCode ?? 0;
    if (!this.#stopping) this.#report(`worker ${worker.pid} has ended with ${exitCode} and is replaced`);
    return exitCode > 0;
  }

  async #pause(): Promise<void> {
    await delay(PAUSE, undefined, { signal: this.#stop.signal }).catch(() => {}); // stopped meanwhile
  }
}
