// What a forked child has for itself: at its start, after it has read the heap of its parent, after collections of its own.
//   node --expose-gc node_driver.mjs <MB> [--warmup]
import { Pipe, Process, warmup } from 'posix-multiprocessing';
import { load, privateMB, readAll } from './data.mjs';

const records = load(Number(process.argv[2]));
readAll(records);
readAll(records);
const begin = performance.now();
if (process.argv[3] === '--warmup') await warmup();
const warmupTime = performance.now() - begin;
const heapMB = process.memoryUsage().heapUsed / 2 ** 20;
const [here, there] = Pipe();
const child = new Process({
  target: async () => {
    const start = privateMB();
    readAll(records);
    const read = privateMB();
    globalThis.gc();
    const collected = privateMB();
    for (let round = 0; round < 4; round++) globalThis.gc();
    await there.send({ start, read, collected, collectedFiveTimes: privateMB() });
  },
});
await child.start();
const figures = await here.recv();
await child.join();
console.log(JSON.stringify({ heapMB, warmupTime, ...figures, exitCode: child.exitCode }));
