/** A pool's figures, put together when they are asked for. */

import type { Core } from './core.js';
import { memoryOf } from './memory.js';
import type { PoolStats } from './statistics.js';

export function statsOf({ dispatcher, workers, statistics }: Core): PoolStats {
  let queued = dispatcher.parked;
  for (const { waiting } of dispatcher.agenda) queued += waiting;
  let running = 0;
  for (const { outstanding, progress } of workers) {
    const isRunning = outstanding.length > 0 && progress.running !== 0;
    if (isRunning) running += 1;
    queued += outstanding.length - (isRunning ? 1 : 0);
  }
  return {
    queued,
    running,
    done: statistics.done,
    failed: statistics.failed,
    waitTime: statistics.waitTime.summary(),
    runTime: statistics.runTime.summary(),
    utilisation: statistics.utilisation,
    workers: [...workers].flatMap(({ name, pid, isIdle, done }) =>
      pid === undefined ? [] : [{ name, pid, isBusy: !isIdle, done, memory: memoryOf(pid) ?? 0 }],
    ),
  };
}
