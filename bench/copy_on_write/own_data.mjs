// A process that has loaded the data for itself, as each of several workers without fork does: node own_data.mjs <MB>
import { load, privateMB, readAll } from './data.mjs';

const empty = privateMB();
const records = load(Number(process.argv[2]));
readAll(records);
const read = privateMB();
globalThis.gc();
console.log(
  JSON.stringify({ heapMB: process.memoryUsage().heapUsed / 2 ** 20, start: empty, read, collected: privateMB() }),
);
