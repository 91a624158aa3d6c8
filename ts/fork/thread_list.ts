/** The threads of this process, as /proc/self/task has them. proc(5). */

import fs from 'node:fs';

export interface Thread {
  readonly id: number;
  readonly name: string;
  /** Clock ticks after boot. */
  readonly started: number;
}

const TASKS = '/proc/self/task';
/** include/linux/sched.h: set before anybody can learn that the thread has ended. */
const PF_EXITING = 0x4;

/** Sorted as text. None without /proc. */
export function threadIds(): number[] {
  try {
    return fs.readdirSync(TASKS).map(Number);
  } catch {
    return [];
  }
}

/** In the order in which they were started, as the kernel lists them: fs.readdir() would sort. */
function threadIdsByAge(): number[] {
  const ids: number[] = [];
  const folder = fs.opendirSync(TASKS);
  for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) ids.push(Number(entry.name));
  folder.closeSync();
  return ids;
}

/** From /proc/[pid]/task/[tid]/stat; undefined for one that has ended: it is listed for a moment after it was joined. */
export function readThread(stat: string): Thread | undefined {
  // The name is in brackets and may hold any character, so what follows is looked for from the end.
  const [, id, name, rest = ''] = /^(\d+) \((.*)\) (.*)$/s.exec(stat) ?? [];
  const fields = rest.split(' ');
  const [state] = fields;
  const [flags, started] = [fields[6], fields[19]].map(Number) as [number, number];
  if (id === undefined || name === undefined || state === 'Z' || state === 'X') return undefined;
  return (flags & PF_EXITING) === 0 ? { id: Number(id), name, started } : undefined;
}

/** Those that run, the oldest first. Ids say nothing about that: at their limit the kernel begins anew. */
export function listThreads(): Thread[] {
  const threads: Thread[] = [];
  for (const id of threadIdsByAge()) {
    try {
      const thread = readThread(fs.readFileSync(`${TASKS}/${id}/stat`, 'utf8'));
      if (thread !== undefined) threads.push(thread);
    } catch {
      // It is gone.
    }
  }
  return threads.sort((a, b) => a.started - b.started);
}
