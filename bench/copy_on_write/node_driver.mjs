// What a forked child has for itself: at its start, after it has read the heap of its parent, after collections of its own.
// Three children, one after the other: the medians, and the least of each, for V8 compiles when it likes.
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
const target = () => {
  const start = privateMB();
  readAll(records);
  const read = privateMB();
  globalThis.gc();
  const collected = privateMB();
  for (let round = 0; round < 4; round++) globalThis.gc();
  there.sendSync({ start, read, collected, collectedFiveTimes: privateMB() });
};
// The parent waits without its event loop: what it writes itself, to collect at leisure, would be the child's alone from then on.
const children = [1, 2, 3].map(() => {
  const child = new Process({ target }).startSync();
  const figures = here.recvSync();
  child.joinSync();
  return { ...figures, exitCode: child.exitCode };
});
const of = (rank) =>
  Object.fromEntries(
    Object.keys(children[0]).map((key) => [key, children.map((child) => child[key]).sort((a, b) => a - b)[rank]]),
  );
console.log(
  JSON.stringify({ heapMB, warmupTime, ...of(1), least: of(0), exitCodes: children.map(({ exitCode }) => exitCode) }),
);
