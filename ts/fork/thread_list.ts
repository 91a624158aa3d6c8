/** The threads of this process, as /proc/self/task has them. proc(5). */

import fs from 'node:fs';

export interface Thread {
  readonly id: number;
  readonly name: string;
}

const TASKS = '/proc/self/task';
/** include/linux/sched.h: set before anybody can learn that the thread has ended. */
const PF_EXITING = 0x4;

/** None without /proc. */
export function threadIds(): number[] {
  try {
    return fs.readdirSync(TASKS).map(Number);
  } catch {
    return [];
  }
}

/** From /proc/[pid]/task/[tid]/stat; undefined for one that has ended: it is listed for a moment after it was joined. */
export function readThread(stat: string): Thread | undefined {
  // The name is in brackets and may hold any character, so what follows is looked for from the end.
  const [, id, name, rest = ''] = /^(\d+) \((.*)\) (.*)$/s.exec(stat) ?? [];
  const [state, , , , , , flags] = rest.split(' ');
  if (id === undefined || name === undefined || state === 'Z' || state === 'X') return undefined;
  return (Number(flags) & PF_EXITING) === 0 ? { id: Number(id), name } : undefined;
}

/** Those that run, the oldest first. */
export function listThreads(ids: readonly number[] = threadIds()): Thread[] {
  const threads: Thread[] = [];
  for (const id of ids) {
    try {
      const thread = readThread(fs.readFileSync(`${TASKS}/${id}/stat`, 'utf8'));
      if (thread !== undefined) threads.push(thread);
    } catch {
      // It is gone.
    }
  }
  return threads.sort((a, b) => a.id - b.id);
}
