/**
 * Ten processes take one from a number in a file, without a lock: all but one of the updates are lost. In the original each
 * sleeps a second between reading and writing; here a barrier makes sure that all have read before the first one writes.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Barrier, importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { takeOne } = importable(import.meta, {
  takeOne: async (file: string, allHaveRead: Barrier) => {
    const number = Number(readFileSync(file, 'utf8'));
    await allHaveRead.wait();
    writeFileSync(file, `${number - 1}`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-example-'));
  try {
    const file = path.join(folder, 'number');
    writeFileSync(file, '10');
    const allHaveRead = new Barrier(10);
    const children = Array.from({ length: 10 }, () => new Process({ target: takeOne, args: [file, allHaveRead] }));
    for (const child of children) await child.start();
    for (const child of children) await child.join();
    console.log(`left: ${readFileSync(file, 'utf8')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
