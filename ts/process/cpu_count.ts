/** CPUs that this process may use. */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** CPUs' worth of time that the cgroup grants, Infinity without a quota. cgroups(7), v2's cpu.max and v1's cfs quota. */
function cgroupQuota(): number {
  const groups = read('/proc/self/cgroup').split('\n');
  const path = groups.find((line) => line.startsWith('0::'))?.slice(3) ?? '/';
  // A quota may sit on any group above.
  const levels = path.split('/').map((_, index, parts) => parts.slice(0, parts.length - index).join('/'));
  const quotas = levels.map((level) => read(`/sys/fs/cgroup${level}/cpu.max`).split(' '));
  quotas.push([read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'), read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')]);
  const cpus = quotas.map(([quota, period]) => Number(quota) / Number(period)).filter((share) => share > 0);
  return Math.min(Number.POSITIVE_INFINITY, ...cpus);
}

/**
 * How many CPUs this process may use, at least 1: affinity and cgroup quota counted. Doesn't block. Never throws.
 * Python: `os.process_cpu_count`; `multiprocessing.cpu_count` counts the machine's.
 */
export function cpuCount(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cgroupQuota())));
}
