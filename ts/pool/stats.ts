/** A pool's figures, put together when they are asked for. */

import type { Core } from './core.js';
import { memoryOf } from './memory.js';
import type { PoolStats } from './statistics.js';

export function statsOf({ agenda, workers, statistics }: Core): PoolStats {
  let queued = 0;
  for (const { waiting } of agenda) queued += waiting;
  let running = 0;
  for (const { outstanding } of workers) {
    if (outstanding.length === 0) continue;
    running += 1;
    queued += outstanding.length - 1;
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
