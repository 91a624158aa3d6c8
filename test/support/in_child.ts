/** A value computed in a forked child, for the tests that come before Connection. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Process } from 'posix-multiprocessing';
import { close, pipe } from 'posix-multiprocessing/posix';

/** What `compute` returns in a child, as JSON carries it. The child must end with 0. */
export async function inChild<T>(compute: () => T | Promise<T>): Promise<T> {
  const { readEnd, writeEnd } = pipe();
  const child = new Process({
    target: async () => void fs.writeSync(writeEnd, JSON.stringify(await compute()) ?? 'null'),
  });
  await child.start();
  close(writeEnd);
  await child.join();
  const { exitCode } = child;
  child.close();
  const text = fs.readFileSync(readEnd, 'utf8');
  close(readEnd);
  assert.equal(exitCode, 0, `the child ended with ${exitCode}, having written '${text}'`);
  return JSON.parse(text) as T;
}
