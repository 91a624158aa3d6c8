/** The parent's book: which files are out with the workers, and what came back. */

import type { FileTypes } from './file_types.js';
import type { Manifest } from './manifest.js';
import type { Omissions } from './omissions.js';
import type { Totals } from './totals.js';
import type { FileToSum, Job, Outcome, Result } from './worker.js';

export class Ledger {
  /** Bounded by the queue's size and the number of workers. */
  readonly #outstanding = new Map<number, Job>();
  readonly #types: FileTypes;
  readonly #totals: Totals;
  readonly #manifest: Manifest;
  readonly #omissions: Omissions;
  #lastId = 0;

  constructor(types: FileTypes, totals: Totals, manifest: Manifest, omissions: Omissions) {
    this.#types = types;
    this.#totals = totals;
    this.#manifest = manifest;
    this.#omissions = omissions;
  }

  /** Files are about to be put into the queue. */
  open(paths: Buffer[]): Job {
    this.#lastId += 1;
    const files = paths.map((path) => ({ path, type: this.#types.numberOf(path) }));
    const job = { id: this.#lastId, files };
    this.#outstanding.set(job.id, job);
    return job;
  }

  /** A worker's result has arrived. */
  settle(slot: number, { id, outcomes }: Result): void {
    const job = this.#outstanding.get(id);
    if (job === undefined) throw new Error(`worker ${slot} sent a second result for job ${id}`);
    this.#outstanding.delete(id);
    for (const [index, file] of job.files.entries()) this.#record(slot, file, outcomes[index] as Outcome);
  }

  /** Once no worker is left: the files that were lost with workers, each to be opened anew. */
  takeLost(): Buffer[] {
    const lost = [...this.#outstanding.values()].flatMap(({ files }) => files.map(({ path }) => path));
    this.#outstanding.clear();
    return lost;
  }

  #record(slot: number, { path, type }: FileToSum, outcome: Outcome): void {
    if ('reason' in outcome) {
      this.#omissions.add(path, outcome.reason, true);
      return;
    }
    this.#totals.received(slot, type, outcome.bytes);
    this.#manifest.add(outcome.digest, path);
  }
}
