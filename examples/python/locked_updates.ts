/** Ten processes take one from a number in a file, each under the lock: nothing is lost. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { importable, isMainProcess, Lock, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { takeOne } = importable(import.meta, {
  takeOne: async (file: string, lock: Lock) => {
    await lock.use(async () => {
      const number = Number(readFileSync(file, 'utf8'));
      await delay(5);
      writeFileSync(file, `${number - 1}`);
    });
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-example-'));
  try {
    const file = path.join(folder, 'number');
    writeFileSync(file, '10');
    const lock = new Lock();
    const children = Array.from({ length: 10 }, () => new Process({ target: takeOne, args: [file, lock] }));
    for (const child of children) await child.start();
    for (const child of children) await child.join();
    console.log(`left: ${readFileSync(file, 'utf8')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
