/** What /proc tells about processes: who they are, what they wait for, what they hold. Linux: proc(5). */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process as /proc/PID/stat has it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** R running, S sleeping, D in the kernel, T stopped, Z zombie. */
  readonly state: string;
}

/** A file of /proc, or what stands for it: the process may end at any time, and some files are for root only. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    return `(${(error as NodeJS.ErrnoException).code})`;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function target(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function factsOf(pid: number): ProcessFacts | undefined {
  // The name is in brackets and may hold any character, so what follows is looked for from the end.
  const [, name, state, parent] = /\((.*)\) (\S) (\d+)/s.exec(read(`/proc/${pid}/stat`)) ?? [];
  return name === undefined || state === undefined ? undefined : { pid, parent: Number(parent), name, state };
}

function allProcesses(): ProcessFacts[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => factsOf(Number(name)))
    .filter((facts) => facts !== undefined);
}

/** The children of a process, zombies too. */
export function childrenOf(pid: number): ProcessFacts[] {
  return allProcesses().filter((facts) => facts.parent === pid);
}

/** The processes whose environment holds `NAME=value`: forked children have it wherever they were re-parented to. */
export function withEnvironment(entry: string): ProcessFacts[] {
  return allProcesses().filter(({ pid }) => read(`/proc/${pid}/environ`).split('\0').includes(entry));
}

/** Descriptor number → what it refers to, e.g. `pipe:[4711]`. */
export function descriptorsOf(pid: number | 'self'): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of list(`/proc/${pid}/fd`)) {
    const refersTo = target(`/proc/${pid}/fd/${name}`);
    if (refersTo !== undefined) found.set(Number(name), refersTo);
  }
  return found;
}

function describeThread(pid: number, thread: string): string {
  const folder = `/proc/${pid}/task/${thread}`;
  const stack = read(`${folder}/stack`)
    .replaceAll(/^\[<0>\] /gm, '')
    .split('\n')
    .slice(0, 6)
    .join(' < ');
  const [call] = read(`${folder}/syscall`).split(' ');
  return `  thread ${thread} (${read(`${folder}/comm`)}): wchan ${read(`${folder}/wchan`)}, system call ${call}, ${stack}`;
}

/** Everything that helps to see why a process does not go on, in lines for a human. */
export function describeProcess(pid: number): string {
  const status = read(`/proc/${pid}/status`)
    .split('\n')
    .filter((line) => /^(State|PPid|Threads|VmRSS|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):/.test(line))
    .map((line) => line.replaceAll(/\s+/g, ' '));
  return [
    `process ${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || '(no command line)'}`,
    `  ${status.join(', ') || '(gone)'}`,
    ...list(`/proc/${pid}/task`).map((thread) => describeThread(pid, thread)),
    `  descriptors: ${[...descriptorsOf(pid)].map(([fd, what]) => `${fd} ${what}`).join(', ') || '(none readable)'}`,
  ].join('\n');
}

/** `describeProcess` for a process's children, and theirs. */
export function describeDescendants(pid: number): string {
  const children = childrenOf(pid);
  if (children.length === 0) return `process ${pid} has no children`;
  return children
    .map((child) => {
      const own = describeProcess(child.pid);
      return childrenOf(child.pid).length === 0 ? own : `${own}\n${describeDescendants(child.pid)}`;
    })
    .join('\n');
}

/** Kernel objects in /dev/shm that this process gave a name; other runs on this machine come and go. */
export function ownNames(): string[] {
  const own = new RegExp(`^(?:sem\\.)?mp-(?:[a-z]+-)*${process.pid}-`);
  return readdirSync('/dev/shm').filter((name) => own.test(name) && !name.startsWith('mp-names-'));
}
