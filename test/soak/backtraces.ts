/** Where the threads of processes that do not go on are. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describeDescendants, describeProcess } from '../support/processes.js';

function backtrace(pid: number): string {
  try {
    return execFileSync('gdb', ['-p', String(pid), '-batch', '-ex', 'thread apply all bt'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
  } catch (error) {
    return `no backtrace: ${(error as Error).message}`;
  }
}

/** Writes what is known about these processes to a file of out/soak/ and returns its path. gdb is used where it is there. */
export function saveBacktraces(pids: readonly number[]): string {
  mkdirSync('out/soak', { recursive: true });
  const path = `out/soak/hung-node${process.versions.modules}-${pids[0]}.txt`;
  writeFileSync(path, pids.map((pid) => `${describeProcess(pid)}\n${describeDescendants(pid)}\n`).join('\n'));
  const text = pids.map((pid) => `== process ${pid}\n${backtrace(pid)}`).join('\n');
  writeFileSync(path, text, { flag: 'a' });
  return path;
}
