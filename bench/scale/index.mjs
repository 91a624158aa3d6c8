// What one item costs as the work grows: live children, producers of a queue, locks, segments, heaps; CPython beside.
//   npm run bench -- scale [--cycles 5] [--only children,producers,locks,segments,heaps] [--quick]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, record, table } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    only: { type: 'string', default: 'children,producers,locks,segments,heaps' },
    quick: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
  },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const node = (file, ...args) => [process.execPath, '--max-old-space-size=8192', here(file), ...args];
const python = (file, ...args) => [values.python, here(file), ...args];

// Each step: how many, and what both sides run for it. `figures`: what an answer holds, in `unit` an item.
const cases = {
  children: {
    steps: [1, 10, 100, 500],
    unit: 'ms',
    figures: { 'child started': ({ started }) => started, 'child ended': ({ ended }) => ended },
    ours: (n) => node('node_driver.mjs', 'children', n),
    theirs: (n) => python('cpython_driver.py', 'children', n),
    label: (n) => `${n} live`,
  },
  producers: {
    steps: [1, 2, 4, 8],
    unit: 'µs',
    figures: { 'string of 64 through a Queue': ({ seconds, count }) => (seconds * 1e6) / count },
    ours: (n) => node('../queue/queue_driver.mjs', 'string64', n, '1', 'sync'),
    theirs: (n) => python('../queue/cpython_driver.py', 'string64', n, '1', 'Queue'),
    label: (n) => `${n} producer${n === '1' ? '' : 's'}`,
  },
  locks: {
    steps: [10, 100, 1_000, 10_000],
    unit: 'µs',
    figures: { 'Lock made, used, closed': (nanoseconds) => nanoseconds / 1000 },
    ours: (n) => node('../lock/node_driver.mjs', 'Lock', 'open', n),
    theirs: (n) => python('cpython_driver.py', 'locks', n),
    label: (n) => `${n} at a time`,
  },
  segments: {
    steps: [1, 10, 100, 1_000],
    unit: 'µs',
    figures: { 'SharedMemory made, written, unlinked': (microseconds) => microseconds },
    ours: (n) => node('node_driver.mjs', 'segments', n),
    theirs: (n) => python('cpython_driver.py', 'segments', n),
    label: (n) => `${n} at a time`,
  },
  heaps: {
    steps: [0, 256, 512, 1024],
    unit: 'ms',
    figures: { 'start, empty target, reaped': (milliseconds) => milliseconds },
    ours: (n) => node('../start/node_driver.mjs', 'Process', n),
    theirs: (n) => python('../start/cpython_driver.py', 'fork', n),
    label: (n) => `${n} MB live`,
  },
};

// One size at a time: contenders of all sizes together would be in each other's way.
async function measure({ steps, ours, theirs, label }) {
  const rounds = [];
  for (const step of values.quick ? steps.slice(0, 2) : steps) {
    const n = String(step);
    const contenders = [new Contender('this library', ours(n)), new Contender('CPython', theirs(n))];
    for (const contender of contenders) await contender.ready();
    await compete(contenders, values.quick ? 1 : Number(values.cycles));
    rounds.push({ label: label(n), contenders });
  }
  return rounds;
}

for (const name of values.only.split(',')) {
  const { figures, unit, ...how } = cases[name];
  const rounds = await measure(how);
  for (const [figure, of] of Object.entries(figures)) {
    const rows = rounds.map(({ label, contenders }, index) => {
      const results = contenders.map((one) => ({ name: one.name, values: one.samples.map(of) }));
      record(`scale: ${figure}, ${label}`, { unit, chart: index === rounds.length - 1, results });
      const [ours, theirs] = results.map((result) => median(result.values));
      return [label, ours.toPrecision(3), theirs.toPrecision(3), (theirs / ours).toFixed(2)];
    });
    console.log(`\n${figure}, each; Node ${process.version}\n`);
    console.log(table(['', unit, `CPython ${unit}`, 'times as fast'], rows));
  }
}
