/** How long one process alone takes for the same job: measured, not guessed. */

import { performance } from 'node:perf_hooks';
import { type Connection, EndOfFileError, Pipe, Process } from 'posix-multiprocessing';
import { digestFile } from './digest.js';
import { FileTypes } from './file_types.js';
import { manifestLine } from './manifest.js';
import type { Total } from './totals.js';
import { walk } from './walk.js';

/** Milliseconds after which it stops, wherever it is. */
const BUDGET = 2000;

/** What it did, in what time. */
export interface Alone extends Total {
  milliseconds: number;
  /** Nothing is missing. */
  complete: boolean;
}

/**
 * One process, with the machine for itself, walks and sums the tree once more: no queue, no lock, no pipe. The files are
 * in the page cache by now, which favours it. undefined: somebody has killed it.
 */
export async function sumAlone(root: Buffer, chunkSize: number, signal: AbortSignal): Promise<Alone | undefined> {
  const [results, sink] = Pipe<Alone>({ duplex: false });
  using _results = results;
  await using alone = new Process({ target: () => doItAll(root, chunkSize, sink), name: 'alone', daemon: true });
  await alone.start();
  sink.close();
  try {
    return await results.recv({ signal });
  } catch (error) {
    if (error instanceof EndOfFileError) return undefined;
    throw error;
  }
}

async function doItAll(root: Buffer, chunkSize: number, sink: Connection<Alone>): Promise<void> {
  process.on('SIGINT', () => {});
  const alone: Alone = { files: 0, bytes: 0, milliseconds: 0, complete: true };
  const buffer = Buffer.allocUnsafeSlow(chunkSize);
  const types = new FileTypes();
  const begun = performance.now();
  const isInTime = (): boolean => performance.now() < begun + BUDGET;
  const onRead = (): void => {
    if (!isInTime()) throw new Error('time is up');
  };
  const sum = (path: Buffer): void => {
    const { digest, bytes } = digestFile(path, buffer, onRead) ?? { digest: '', bytes: 0 };
    types.numberOf(path);
    manifestLine(digest, path);
    alone.files += 1;
    alone.bytes += bytes;
    alone.milliseconds = performance.now() - begun;
  };
  for await (const paths of walk(root)) {
    alone.complete = paths.every((path) => {
      attempt(() => sum(path));
      return isInTime();
    });
    if (!alone.complete) break;
  }
  await sink.send(alone);
}

/** A file that is unreadable, or too large for the time that is left, does not count. */
function attempt(body: () => void): void {
  try {
    body();
  } catch {
    // next
  }
}
