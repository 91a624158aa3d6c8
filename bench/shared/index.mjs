// Shared state beside CPython's multiprocessing, and a SharedArray beside an ordinary typed array.
//   npm run bench -- shared [--cycles 15] [--python python3]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, record, table } from '../harness.mjs';

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '15' }, python: { type: 'string', default: 'python3' } },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const node = (name) => new Contender(name, [process.execPath, here('node_driver.mjs'), name]);
const python = (name) => new Contender(`CPython ${name}`, [values.python, here('cpython_driver.py'), name]);

// What Node has of its own for it, if anything.
const cases = {
  'SharedMemory create+open+close+unlink': undefined,
  'Value add': undefined,
  'Value += 1 under its lock': undefined,
  'SharedArray sum, element': 'plain Float64Array sum, element',
  'SharedArray fill, element': 'plain Float64Array fill, element',
  'SharedArray of 16 KiB sum, element': 'plain Float64Array of 16 KiB sum, element',
  'SharedArray of 16 KiB fill, element': 'plain Float64Array of 16 KiB fill, element',
  'Manager dict set+get, one after the other': undefined,
  'Manager dict set+get, 100 at a time': undefined,
};

const rows = [];
for (const [name, plain] of Object.entries(cases)) {
  const contenders = [node(name), python(name), ...(plain === undefined ? [] : [node(plain)])];
  for (const contender of contenders) await contender.ready();
  await compete(contenders, Number(values.cycles));
  record(name, { unit: 'us', results: contenders.map((each) => ({ name: each.name, values: each.samples })) });
  const [ours, theirs, other] = contenders.map(({ samples }) => median(samples));
  rows.push([
    name,
    ours.toPrecision(3),
    theirs.toPrecision(3),
    (theirs / ours).toFixed(2),
    other === undefined ? '' : (ours / other).toFixed(2),
  ]);
}
console.log(`Node ${process.version}; medians of ${values.cycles} interleaved rounds\n`);
console.log(table(['', 'us', 'CPython us', 'times as fast', 'typed array = 1'], rows));
