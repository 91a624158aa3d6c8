/**
 * Two children exchange numbers over a queue and a pipe, meet at two events, and leave their names in a dictionary and a
 * list of a manager.
 *   node out/examples/sharing/exchange.js
 */

import { type Connection, Manager, Pipe, Process, Queue } from 'posix-multiprocessing';

await using manager = await Manager();
const dict = await manager.dict<number>();
const list = await manager.list<string>();
const [readyA, readyB] = [await manager.event(), await manager.event()];
const queue = new Queue<number>();
const [endA, endB] = Pipe<number>();

async function sendAndReceive(name: string, connection: Connection<number>, first: number): Promise<void> {
  for (let number = first; number < first + 10; number += 1) await connection.send(number);
  for (let count = 0; count < 10; count += 1) console.log(`${name} process:${await connection.recv()}`);
}

async function a(): Promise<void> {
  for (let number = 0; number < 10; number += 1) await queue.put(number);
  await readyA.set();
  await readyB.wait();
  await sendAndReceive('A', endA, 40);
  await dict.set('1', 1);
  await list.push('2');
}

async function b(): Promise<void> {
  await readyA.wait();
  for (let count = 0; count < 10; count += 1) console.log(await queue.get());
  await readyB.set();
  await sendAndReceive('B', endB, 20);
  await dict.set('2', 2);
  await list.push('2');
}

const children = [new Process({ target: a }), new Process({ target: b })];
for (const child of children) await child.start();
for (const child of children) await child.join();
console.log(await dict.toObject());
console.log(await list.toArray());
