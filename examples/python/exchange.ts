/**
 * Two children exchange numbers over a queue and a pipe, meet at two events, and leave their names in a dictionary and a
 * list of a manager.
 */

import {
  type Connection,
  type DictProxy,
  Event,
  importable,
  isMainProcess,
  type ListProxy,
  Manager,
  Pipe,
  Process,
  Queue,
} from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

async function sendAndReceive(name: string, pipe: Connection<number>, first: number): Promise<void> {
  for (let number = first; number < first + 10; number += 1) await pipe.send(number);
  for (let count = 0; count < 10; count += 1) console.log(`${name} process:${await pipe.recv()}`);
}

interface Shared {
  queue: Queue<number>;
  readyA: Event;
  readyB: Event;
  dict: DictProxy<number>;
  list: ListProxy<string>;
}

export const { a, b } = importable(import.meta, {
  a: async ({ queue, readyA, readyB, dict, list }: Shared, pipe: Connection<number>) => {
    for (let number = 0; number < 10; number += 1) await queue.put(number);
    readyA.set();
    await readyB.wait();
    await sendAndReceive('A', pipe, 40);
    await dict.set('1', 1);
    await list.push('2');
  },
  b: async ({ queue, readyA, readyB, dict, list }: Shared, pipe: Connection<number>) => {
    await readyA.wait();
    for (let count = 0; count < 10; count += 1) console.log(`${await queue.get()}`);
    readyB.set();
    await sendAndReceive('B', pipe, 20);
    await dict.set('2', 2);
    await list.push('2');
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const start = performance.now();
  await using manager = await Manager();
  const dict = await manager.dict<number>();
  const list = await manager.list<string>();
  const shared = { queue: new Queue<number>(), readyA: new Event(), readyB: new Event(), dict, list };
  const [endA, endB] = Pipe<number>();
  const children = [new Process({ target: a, args: [shared, endA] }), new Process({ target: b, args: [shared, endB] })];
  for (const child of children) await child.start();
  for (const child of children) await child.join();
  console.log(await dict.toObject());
  console.log(await list.toArray());
  console.log(`Multiple process cost: ${Math.round(performance.now() - start)} ms`);
}
