/**
 * A child passes only while the light, an Event, is green. In the original the light follows the wall clock; here it turns red
 * when the child has been seen to pass.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, Event, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { drive } = importable(import.meta, {
  drive: async (light: Event, report: Connection) => {
    for (;;) {
      await light.wait();
      console.log('the car passes');
      await report.send('passed');
      await delay(5);
    }
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const light = new Event();
  const [seen, report] = Pipe({ duplex: false });
  const car = await new Process({ target: drive, args: [light, report] }).start();
  for (let round = 0; round < 2; round += 1) {
    console.log('green');
    light.set();
    await seen.recv();
    light.clear();
    console.log('red');
    await delay(30);
  }
  car.terminate();
  await car.join();
  console.log(`main end, the car's exit code: ${car.exitCode}`);
}
