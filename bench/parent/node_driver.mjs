// node node_driver.mjs <MB> <forks>: times before and after them, as JSON.
import { spawnSync } from 'node:child_process';
import { Process } from 'posix-multiprocessing';
import { bestOf, kernels, time } from '../child_speed/kernels.mjs';
import { load, readAll } from '../copy_on_write/data.mjs';

const records = load(Number(process.argv[2]));
const all = {
  ...kernels,
  // What lives, read and written: pages that a fork has made copy-on-write.
  'read the heap': () => readAll(records),
  'write the heap': () => {
    for (let index = 0; index < records.length; index++) records[index].nested.when = index;
  },
  spawn: () => spawnSync('true'),
};

const repeat = (name) => (name === 'spawn' ? 30 : 4);

function measure() {
  return Object.fromEntries(
    Object.entries(all).map(([name, kernel]) => [
      name,
      bestOf(Array.from({ length: repeat(name) }, () => time(kernel))),
    ]),
  );
}

measure(); // all is compiled, the heap has its size
const before = measure();
for (let fork = 0; fork < Number(process.argv[3]); fork++) {
  const child = await new Process({ target: () => {} }).start();
  await child.join();
  child.close();
}
console.log(JSON.stringify({ before, after: measure() }));
