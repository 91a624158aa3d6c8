/** Children that a test starts by the default method, and that have to end as it says. */

import assert from 'node:assert/strict';
import { Process } from 'posix-multiprocessing';

export async function start(target: () => unknown): Promise<Process> {
  return new Process({ target }).start();
}

/** When it has ended, with that exit code, it is closed. */
export async function expectExit(child: Process, code: number): Promise<void> {
  await child.join();
  assert.equal(child.exitCode, code);
  child.close();
}
