/** The workers: started, fed through a queue, heard through a pipe each, and replaced when killed. */

import { addAbortListener } from 'node:events';
import { type Connection, EndOfFileError, Lock, Pipe, Process, Queue } from 'posix-multiprocessing';
import type { Ledger } from './ledger.js';
import { type Configuration, type Job, type Result, work } from './worker.js';

/** Jobs that wait in the queue, which bounds how far the walk is ahead of the workers. */
const QUEUE_SIZE = 128;
/** After so many deaths in a row without a single result in between there is no use in going on. */
const MAX_FRUITLESS_DEATHS = 500;

/** What each job is to consist of. */
type Batches = AsyncIterable<Buffer[]> | Iterable<Buffer[]>;

export class Crew {
  /** Workers that were killed, each replaced by another. */
  deaths = 0;
  #fruitlessDeaths = 0;
  readonly #size: number;
  readonly #configuration: Configuration;
  readonly #ledger: Ledger;
  readonly #stop: AbortController;
  readonly #starting = new Lock();

  /** `stop`: its abortion ends all workers; an error anywhere aborts it. */
  constructor(size: number, configuration: Configuration, ledger: Ledger, stop: AbortController) {
    this.#size = size;
    this.#configuration = configuration;
    this.#ledger = ledger;
    this.#stop = stop;
  }

  /**
   * Sums the files and resolves when all workers have ended. What is still outstanding in the ledger then was lost with
   * workers that were killed: nobody has it any more, so it can be summed again without being counted twice.
   */
  async sum(batches: Batches, mostWorkers: number = this.#size): Promise<void> {
    using queue = new Queue<Job>(QUEUE_SIZE);
    const slots = Array.from({ length: Math.min(this.#size, mostWorkers) }, (_, slot) => this.#man(slot, queue));
    const parts = [this.#feed(batches, queue), ...slots];
    try {
      await Promise.all(parts);
    } catch (error) {
      this.#stop.abort(error);
      throw error;
    } finally {
      await Promise.allSettled(parts);
    }
  }

  async #feed(batches: Batches, queue: Queue<Job>): Promise<void> {
    const { signal } = this.#stop;
    for await (const batch of batches) await queue.put(this.#ledger.open(batch), { signal });
    queue.end();
  }

  /** Keeps one slot manned, and its results flowing into the ledger, until a worker finds the queue at its end. */
  async #man(slot: number, queue: Queue<Job>): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      signal.throwIfAborted();
      const { worker, results } = await this.#start(slot, queue);
      await using _worker = worker;
      using _results = results;
      using _killer = addAbortListener(signal, () => worker.kill());
      await this.#hear(slot, results);
      await worker.join();
      signal.throwIfAborted();
      if (worker.exitCode === 0) return;
      await this.#mourn(slot, worker);
    }
  }

  /** Until the worker's end of the pipe is closed, by whatever ends the worker. */
  async #hear(slot: number, results: Connection<Result>): Promise<void> {
    try {
      for await (const result of results) {
        this.#ledger.settle(slot, result);
        this.#fruitlessDeaths = 0;
      }
    } catch (error) {
      // Half a result is none.
      if (!(error instanceof EndOfFileError)) throw error;
    }
  }

  /** A worker has ended before its time, and everything it ever sent has been received. */
  async #mourn(slot: number, { name, exitCode = 0 }: Process): Promise<void> {
    if (exitCode > 0) throw new Error(`${name} failed with exit code ${exitCode}`);
    this.deaths += 1;
    this.#fruitlessDeaths += 1;
    if (this.#fruitlessDeaths > MAX_FRUITLESS_DEATHS)
      throw new Error('workers are killed before they achieve anything');
    await this.#configuration.totals.repair(slot);
  }

  /**
   * One at a time: a worker forked between the pipe() and the close() of another would keep that one's pipe open, whose
   * end of file is how its death is noticed.
   */
  async #start(slot: number, queue: Queue<Job>): Promise<{ worker: Process; results: Connection<Result> }> {
    return this.#starting.use(async () => {
      const [results, sink] = Pipe<Result>({ duplex: false });
      const target = () => work(this.#configuration, slot, queue, sink);
      const worker = new Process({ target, name: `worker ${slot}`, daemon: true });
      try {
        await worker.start();
      } catch (error) {
        results.close();
        throw error;
      } finally {
        sink.close();
      }
      return { worker, results };
    });
  }

  [Symbol.dispose](): void {
    this.#starting.close();
  }
}
