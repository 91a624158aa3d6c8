/** A worker: takes jobs from the queue until it ends, counts files in the totals, sends what became of them. */

import { type Connection, EndOfFileError, type Queue } from 'posix-multiprocessing';
import { type Digest, digestFile } from './digest.js';
import { whyNot } from './reasons.js';
import type { Totals } from './totals.js';

export interface FileToSum {
  path: Buffer;
  /** Number of its type. */
  type: number;
}

/** What a worker takes from the queue: one file, or several small ones. */
export interface Job {
  id: number;
  files: FileToSum[];
}

/** What became of a file. */
export type Outcome = Digest | { reason: string };

/** What became of a job, file by file. */
export interface Result {
  id: number;
  outcomes: Outcome[];
}

/** What all workers share: captured by the closure that is forked, so nothing of it is ever sent. */
export interface Configuration {
  readonly totals: Totals;
  /** Bytes that are read at a time. */
  readonly chunkSize: number;
}

/** Whatever it does blocks: it is a process of its own, and blocking calls are the fastest. */
export function work(
  { totals, chunkSize }: Configuration,
  slot: number,
  queue: Queue<Job>,
  results: Connection<Result>,
): void {
  // Ctrl-C goes to the whole foreground group, but it is the parent who ends the work.
  process.on('SIGINT', () => {});
  const buffer = Buffer.allocUnsafeSlow(chunkSize);
  const onRead = (bytes: number): void => totals.reading(slot, bytes);
  const sumAndCount = ({ path, type }: FileToSum): Outcome => {
    const outcome = sum(path, buffer, onRead);
    if ('digest' in outcome) totals.add(slot, type, outcome.bytes);
    else totals.reading(slot, 0);
    return outcome;
  };
  for (let job = take(queue); job !== undefined; job = take(queue)) {
    results.sendSync({ id: job.id, outcomes: job.files.map(sumAndCount) });
  }
}

/** undefined: the queue was ended, and is empty. */
function take(queue: Queue<Job>): Job | undefined {
  try {
    return queue.getSync();
  } catch (error) {
    if (error instanceof EndOfFileError) return undefined;
    throw error;
  }
}

function sum(path: Buffer, buffer: Buffer, onRead: (bytes: number) => void): Outcome {
  try {
    return digestFile(path, buffer, onRead) ?? { reason: 'not a regular file any more' };
  } catch (error) {
    return { reason: whyNot(error) };
  }
}
