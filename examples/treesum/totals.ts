/**
 * What the workers have summed so far, by type of file, in shared memory under a lock.
 *
 *     expected   [ files, bytes, complete ]                           the scout's
 *     row 0      [ in hand | files, bytes | files, bytes | … ]        worker 0's: one pair per type
 *     row 1      [ in hand | …                                        worker 1's
 *
 * Each worker writes its own row only. The lock makes its files and bytes change together for whoever reads.
 *
 * A worker may be killed anywhere: inside the lock, a pair half written, or between the update and sending the result.
 * Then its row holds more, or less, than what the parent knows of. No other row is concerned, so the parent sets that one
 * right from the results it has received (`repair`), and the file without a result is summed by somebody else, once more.
 */

import { Lock, OwnerDiedError, SharedMemory, type WaitOptions } from 'posix-multiprocessing';
import { MAX_TYPES } from './file_types.js';

export interface Total {
  files: number;
  bytes: number;
}

/** Opening a file is worth about so many bytes read. */
const BYTES_PER_FILE = 64 * 1024;

/** How much work it is, in bytes: many small files are more than one large one. */
export function effort({ files, bytes }: Total): number {
  return bytes + files * BYTES_PER_FILE;
}

export interface Reading extends Total {
  /** All there is to sum, as far as known; `complete`: no more will be found. */
  expected: Total & { complete: boolean };
}

const ROW = 1 + 2 * MAX_TYPES;
const HEADER = 3;

export class Totals {
  readonly #lock = new Lock();
  readonly #memory: SharedMemory;
  readonly #expected: Float64Array;
  readonly #rows: Float64Array[];
  /** The parent's own count of the results it has received, of the same shape. */
  readonly #received: Float64Array[];

  constructor(workers: number) {
    this.#memory = SharedMemory.create({ size: (HEADER + workers * ROW) * Float64Array.BYTES_PER_ELEMENT });
    // Forked processes inherit the mapping. Without a name there is nothing to leave behind, however this ends.
    this.#memory.unlink();
    const cells = new Float64Array(this.#memory.buffer);
    this.#expected = cells.subarray(0, HEADER);
    const rowAt = (_: unknown, slot: number) => cells.subarray(HEADER + slot * ROW, HEADER + (slot + 1) * ROW);
    this.#rows = Array.from({ length: workers }, rowAt);
    this.#received = this.#rows.map(() => new Float64Array(ROW));
  }

  /** In a worker: how much of the present file it has read. A single cell: no lock needed. */
  reading(slot: number, bytes: number): void {
    this.#row(slot)[0] = bytes;
  }

  /** In a worker: a file is done. */
  add(slot: number, type: number, bytes: number): void {
    try {
      this.#lock.acquireSync();
    } catch (error) {
      forgiveDeath(error);
    }
    count(this.#row(slot), type, bytes);
    this.#lock.release();
  }

  /** In the parent: a worker's result for a file has arrived. */
  received(slot: number, type: number, bytes: number): void {
    count(this.#received[slot] as Float64Array, type, bytes);
  }

  /** In the parent: a worker has died and all it ever sent has been received; its row shall say just that. */
  async repair(slot: number): Promise<void> {
    await this.#acquire();
    this.#row(slot).set(this.#received[slot] as Float64Array);
    this.#lock.release();
  }

  /** In the scout: what it has found so far. */
  expect(files: number, bytes: number, complete: boolean): void {
    this.#expected.set([files, bytes, Number(complete)]);
  }

  /** What is done up to this moment, files in hand included. */
  async read(options?: WaitOptions): Promise<Reading> {
    const sum = { files: 0, bytes: 0 };
    await this.#acquire(options);
    for (const row of this.#rows) {
      sum.bytes += row[0] as number;
      for (let type = 0; type < MAX_TYPES; type++) addTo(sum, pairOf(row, type));
    }
    this.#lock.release();
    const [files = 0, bytes = 0, complete = 0] = this.#expected;
    return { ...sum, expected: { files, bytes, complete: complete === 1 } };
  }

  /** By number of type, of all workers. */
  async byType(): Promise<Total[]> {
    await this.#acquire();
    const totals = Array.from({ length: MAX_TYPES }, (_, type) =>
      this.#rows.reduce((sum, row) => addTo(sum, pairOf(row, type)), { files: 0, bytes: 0 }),
    );
    this.#lock.release();
    return totals;
  }

  [Symbol.dispose](): void {
    this.#lock.close();
    this.#memory.close();
  }

  #row(slot: number): Float64Array {
    return this.#rows[slot] as Float64Array;
  }

  /** The parent never blocks its event loop: a worker may have been stopped while it holds the lock. */
  async #acquire(options?: WaitOptions): Promise<void> {
    try {
      await this.#lock.acquire(options);
    } catch (error) {
      forgiveDeath(error);
    }
  }
}

/** The lock's holder was killed, and the lock is ours now. What may be torn is the dead one's row: see above. */
function forgiveDeath(error: unknown): void {
  if (!(error instanceof OwnerDiedError)) throw error;
}

/** Adds a file to its type and says that nothing is in hand. */
function count(row: Float64Array, type: number, bytes: number): void {
  const files = 1 + 2 * type;
  row[files] = (row[files] as number) + 1;
  row[files + 1] = (row[files + 1] as number) + bytes;
  row[0] = 0;
}

function pairOf(row: Float64Array, type: number): Total {
  return { files: row[1 + 2 * type] as number, bytes: row[2 + 2 * type] as number };
}

function addTo(sum: Total, { files, bytes }: Total): Total {
  sum.files += files;
  sum.bytes += bytes;
  return sum;
}
