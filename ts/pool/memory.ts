/** How much memory a process has. */

import { readFileSync } from 'node:fs';

/**
 * Bytes of a process's proportional set size: what it alone has, and its share of what it has in common with others, which
 * after a fork is most. undefined when there is no such process. proc_pid_smaps(5)
 */
export function memoryOf(pid: number | 'self'): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
