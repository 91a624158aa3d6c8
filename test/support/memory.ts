/** What the garbage collector and the system say of memory. */

import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** What nobody refers to is gone, and its finalizers have run. */
export async function collectGarbage(): Promise<void> {
  if (gc === undefined) throw new Error('run with --expose-gc');
  for (let round = 0; round < 3; round += 1) {
    await setImmediate();
    gc();
  }
}

function kilobytes(area: string, what: string): number {
  return Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(area)?.[1] ?? 0);
}

/** Kilobytes of the queues' memory files that this process has mapped and that are there, without copies of its own. */
export function memoryOfQueues(): number {
  const areas = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return areas
    .filter((area) => area.includes('/memfd:posix-multiprocessing queue'))
    .reduce((sum, area) => sum + kilobytes(area, 'Rss') - kilobytes(area, 'Anonymous'), 0);
}
