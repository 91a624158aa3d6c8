// How much of a large inherited heap a child makes its own, beside CPython and beside processes that load the data themselves.
//   npm run bench -- copy_on_write [--size 200] [--python python3]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { record, table } from '../harness.mjs';

const { values } = parseArgs({
  options: { size: { type: 'string', default: '200' }, python: { type: 'string', default: 'python3' } },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const node = (file, ...args) => [process.execPath, ['--expose-gc', here(file), values.size, ...args]];
const python = (...args) => [values.python, [here('cpython_driver.py'), values.size, ...args]];
const contenders = {
  Process: node('node_driver.mjs'),
  'Process after warmup()': node('node_driver.mjs', '--warmup'),
  'node that loads the data itself': node('own_data.mjs'),
  'CPython fork': python(),
  'CPython fork after gc.freeze()': python('--freeze'),
};

const shares = [];
const rows = Object.entries(contenders).map(([name, [command, args]]) => {
  const { heapMB, ...figures } = JSON.parse(execFileSync(command, args, { encoding: 'utf8' }));
  const cell = (value) => (value === undefined ? '' : `${value.toFixed(1)} (${((100 * value) / heapMB).toFixed(1)} %)`);
  const { start, read, collected, collectedFiveTimes } = figures;
  shares.push({ name, values: [(100 * read) / heapMB] });
  return [name, heapMB.toFixed(0), ...[start, read, collected, collectedFiveTimes].map(cell)];
});
console.log(`Node ${process.version}; memory of the child alone, MB (share of the live heap)\n`);
console.log(table(['', 'live MB', 'at its start', 'heap read', 'collected', 'five times'], rows));
record('memory of a child that has read the inherited heap', { unit: '% of the heap', results: shares });
