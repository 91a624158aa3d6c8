/** terminate() only sends a signal: right after it the child is mostly still alive. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { countForEver } = importable(import.meta, {
  countForEver: async (report: Connection<number>) => {
    for (let number = 1; ; number += 1) {
      console.log(`p1: ${number}`);
      await report.send(number);
      await delay(20);
    }
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const [numbers, report] = Pipe<number>({ duplex: false });
  const p1 = await new Process({ target: countForEver, args: [report] }).start();
  while ((await numbers.recv()) < 2);
  p1.terminate();
  console.log(`alive at once: ${p1.isAlive()}`);
  await p1.join();
  console.log(`alive after join(): ${p1.isAlive()}`);
  console.log(`exit code: ${p1.exitCode}`);
}
