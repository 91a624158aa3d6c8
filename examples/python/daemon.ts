/**
 * At the end of the main process a daemon is stopped and the other child awaited. In the original the main process sleeps five
 * seconds and the other child ten; here it is messages that say when, so that no clock decides.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { countForEver, waitForWord } = importable(import.meta, {
  countForEver: async (report: Connection<number>) => {
    for (let number = 1; ; number += 1) {
      console.log(`p1: ${number}`);
      await report.send(number);
      await delay(20);
    }
  },
  waitForWord: async (mainIsAtItsEnd: Connection) => {
    console.log('p2 start');
    await mainIsAtItsEnd.recv();
    await delay(20);
    console.log('p2 end');
  },
});

if (isMainProcess()) {
  takeStartMethod();
  console.log('main start');
  const [numbers, report] = Pipe<number>({ duplex: false });
  const [word, say] = Pipe({ duplex: false });
  const p1 = new Process({ target: countForEver, args: [report], daemon: true });
  const p2 = new Process({ target: waitForWord, args: [word] });
  await p1.start();
  await p2.start();
  while ((await numbers.recv()) < 4);
  console.log('main end');
  await say.send('main is at its end');
}
