// Messages a second through a Queue, beside CPython's queues and Node's own ways, in interleaved rounds.
//   npm run bench -- queue [--cycles 5] [--kinds string64,object,65536,1048576,16777216] [--only NAME,…]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, report } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    kinds: { type: 'string', default: 'string64,object,65536,1048576,16777216' },
    only: { type: 'string', default: '' },
    python: { type: 'string', default: 'python3' },
  },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const node = (file, ...args) => [process.execPath, here(file), ...args];
const python = (...args) => [values.python, here('cpython_driver.py'), ...args];

function contendersFor(kind) {
  const small = kind === 'string64' || kind === 'object';
  const queue = (...how) => node('queue_driver.mjs', kind, ...how);
  const all = {
    'Queue sync': queue('1', '1', 'sync'),
    'Queue async': queue('1', '1', 'async'),
    ...(small ? { 'Queue 4 to 1': queue('4', '1', 'sync'), 'Queue 1 to 4': queue('1', '4', 'sync') } : {}),
    ...(small ? {} : { 'Queue loans': queue('1', '1', 'loan') }),
    'Worker postMessage': node('node_driver.mjs', kind, 'postMessage'),
    ...(small ? {} : { 'Worker transfer': node('node_driver.mjs', kind, 'transfer') }),
    // As JSON a buffer is a list of numbers: 10 MB a second.
    ...(small ? { 'process.send json': node('node_driver.mjs', kind, 'json') } : {}),
    ...(Number(kind) > 2 ** 20 ? {} : { 'process.send advanced': node('node_driver.mjs', kind, 'advanced') }),
    'CPython Queue': python(kind, '1', '1', 'Queue'),
    'CPython SimpleQueue': python(kind, '1', '1', 'SimpleQueue'),
    'CPython Pipe': python(kind, '1', '1', 'Pipe'),
  };
  const only = values.only.split(',').filter((name) => name !== '');
  return Object.entries(all).filter(([name]) => only.length === 0 || only.includes(name));
}

for (const kind of values.kinds.split(',')) {
  const contenders = [];
  for (const [name, command] of contendersFor(kind)) contenders.push(await new Contender(name, command).ready());
  await compete(contenders, Number(values.cycles));
  const rate = ({ samples }) => median(samples.map(({ seconds, count }) => count / seconds));
  const base = rate(contenders[0]);
  const size = Number(kind);
  const rows = contenders.map((contender) => {
    const perSecond = rate(contender);
    const shown = size > 0 ? `${((perSecond * size) / 1e9).toFixed(2)} GB/s` : `${(perSecond / 1000).toFixed(0)} k/s`;
    return [contender.name, shown, (perSecond / base).toFixed(2)];
  });
  report(`Queue: ${size > 0 ? `${kind} bytes` : kind}`, {
    header: ['', 'rate', 'first = 1'],
    rows,
    unit: 'k/s',
    better: 'higher',
    results: contenders.map(({ name, samples }) => ({
      name,
      values: samples.map(({ seconds, count }) => count / seconds / 1000),
    })),
  });
}
