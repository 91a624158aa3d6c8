/** The scout: a process that runs ahead and counts what there is to do, so that the progress bar knows its end. */

import { setTimeout as delay } from 'node:timers/promises';
import { Process } from 'posix-multiprocessing';
import { sizeOf } from './batches.js';
import type { Totals } from './totals.js';
import { walk } from './walk.js';

export function scoutFor(root: Buffer, totals: Totals): Process {
  return new Process({ target: () => explore(root, totals), name: 'scout', daemon: true });
}

/** Milliseconds until it starts: a short job is over before anybody wants to know how long it takes. */
const DELAY = 300;

async function explore(root: Buffer, totals: Totals): Promise<void> {
  process.on('SIGINT', () => {});
  await delay(DELAY);
  let files = 0;
  let bytes = 0;
  for await (const paths of walk(root)) {
    files += paths.length;
    for (const path of paths) bytes += sizeOf(path);
    totals.expect(files, bytes, false);
  }
  totals.expect(files, bytes, true);
}
