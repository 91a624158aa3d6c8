// Locks beside CPython's, C's sem_t and bare Atomics: a pair of acquire and release, contention, hand-over between two
// processes, thousands of locks, and how fairly eight processes share one.
//   npm run bench -- lock [--cycles 15]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, record, report, table } from '../harness.mjs';

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '15' }, python: { type: 'string', default: 'python3' } },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-lock-'));
const c = join(folder, 'c_sem');
if (spawnSync('cc', ['-O2', '-o', c, here('c_sem.c')], { stdio: 'inherit' }).status !== 0) process.exit(1);

const node = (what, mode, ...count) =>
  new Contender(what, [process.execPath, here('node_driver.mjs'), what, mode, ...count.map(String)]);
const python = (mode, count) =>
  new Contender('CPython Lock', [values.python, here('cpython_driver.py'), mode, String(count)]);
const sem = (mode, count) => new Contender('C sem_t', [c, mode, String(count)]);

async function race(title, contenders, cycles = Number(values.cycles)) {
  for (const contender of contenders) await contender.ready();
  await compete(contenders, cycles);
  const base = median(contenders[0].samples);
  const rows = contenders.map(({ name, samples }) => {
    const time = median(samples);
    return [name, time.toFixed(1), (time / base).toFixed(2)];
  });
  const results = contenders.map(({ name, samples }) => ({ name, values: samples }));
  report(`Lock: ${title}`, { header: ['', 'ns', 'Lock = 1'], rows, unit: 'ns', results });
}

await race('acquireSync() and release(), nobody else', [
  node('Lock', 'pair', 300_000),
  node('Atomics', 'pair', 300_000),
  sem('pair', 300_000),
  python('pair', 100_000),
  node('named Lock', 'pair', 100_000),
  node('RLock', 'pair', 100_000),
  node('Semaphore', 'pair', 100_000),
]);
await race('tryAcquire() and release(), nobody else', [
  node('Lock', 'try', 300_000),
  node('Atomics', 'try', 300_000),
  node('named Lock', 'try', 100_000),
]);
await race('await acquire() and release(), nobody else', [
  node('Lock', 'async', 100_000),
  node('named Lock', 'async', 100_000),
  node('RLock', 'async', 100_000),
  node('Semaphore', 'async', 100_000),
]);
await race('two processes contend for 100 ms, a pass', [
  node('Lock', 'contended', 100),
  sem('contended', 100),
  python('contended', 100),
  node('named Lock', 'contended', 100),
]);
await race('two processes hand over in turn, a hand-over', [
  node('Lock', 'handover', 10_000),
  sem('handover', 10_000),
  python('handover', 10_000),
]);
await race('Locks without a name: made, used and closed, a lock', [
  ...[100, 1_000, 10_000].map((count) => {
    const contender = node('Lock', 'open', count);
    contender.name = `${count} at a time`;
    return contender;
  }),
]);

const fairness = ['Lock', 'named Lock'].flatMap((what) =>
  ['sync', 'async'].flatMap((form) =>
    [0, 500].map((held) => {
      const contender = node(what, 'fairness', 500, form, held);
      contender.name = `${what}, ${form}, held for ${held} us`;
      return contender;
    }),
  ),
);
for (const contender of fairness) await contender.ready();
await compete(fairness, 3);
const rows = fairness.map(({ name, samples }) => {
  const passes = samples.map((sample) => Math.min(...sample.passes) / Math.max(...sample.passes));
  const longest = samples.map((sample) => Math.max(...sample.longestMs));
  return [name, median(passes).toFixed(2), Math.max(...longest).toFixed(0)];
});
console.log(
  `\nEight processes that take it again at once, for 500 ms\n\n${table(['', 'fewest / most passes', 'longest wait, ms'], rows)}`,
);
record('Lock: the longest wait of eight processes', {
  unit: 'ms',
  chart: false,
  results: fairness.map(({ name, samples }) => ({
    name,
    values: samples.map(({ longestMs }) => Math.max(...longestMs)),
  })),
});
rmSync(folder, { recursive: true });
