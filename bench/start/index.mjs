// start -> empty target -> reaped, beside C, CPython and Node's own ways, at several sizes of live heap.
//   npm run bench -- start [--cycles 60] [--sizes 0,64,256] [--only forkserver]
// With NODE_EXTRA_CA_CERTS in its environment Node 20 reads those certificates at its start: 'node -e 0' takes three times as long.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, record, table } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '60' },
    sizes: { type: 'string', default: '0,64,256' },
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', default: '' }, // beside Process and C, those that have this in their names
  },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
const c = join(folder, 'c_fork');
if (spawnSync('cc', ['-O2', '-o', c, here('c_fork.c')], { stdio: 'inherit' }).status !== 0) process.exit(1);

const rows = [];
for (const size of values.sizes.split(',')) {
  const one = (name, command, options) =>
    name === 'Process' || name.includes(values.only) ? [new Contender(name, command, options)] : [];
  const node = (driver, options) => one(driver, [process.execPath, here('node_driver.mjs'), driver, size], options);
  const python = (method, options) =>
    one(`CPython ${method}`, [values.python, here('cpython_driver.py'), method, size], options);
  const [ours] = node('Process');
  await ours.ready();
  // Equal size: C touches as much private memory as the Node process has.
  const bare = new Contender('C fork', [c, String(ours.about.privateMB)]);
  const contenders = [
    ours,
    bare,
    ...python('fork'),
    ...python('forkserver', { every: 3 }),
    ...python('spawn', { every: 6 }),
    ...node('Process, forkserver', { every: 3 }),
    ...node('Process, spawn', { every: 6 }),
    ...node('node -e 0', { every: 6 }),
    ...node('child_process.fork', { every: 6 }),
    ...node('Worker', { every: 6 }),
  ];
  for (const contender of contenders.slice(1)) await contender.ready();
  await compete(contenders, Number(values.cycles));
  const results = contenders.map(({ name, samples }) => ({ name, values: samples }));
  record(`start, empty target, reaped; ${size} MB of live objects`, { unit: 'ms', results });
  const base = median(ours.samples);
  for (const { name, samples, about } of contenders) {
    const time = median(samples);
    rows.push([
      name,
      size,
      String(about.privateMB),
      time.toFixed(2),
      (time / base).toFixed(2),
      (time / median(bare.samples)).toFixed(2),
    ]);
  }
}
rmSync(folder, { recursive: true });
console.log(
  `Node ${process.version}, start -> empty target -> reaped; medians of ${values.cycles} interleaved cycles\n`,
);
console.log(table(['', 'live MB', 'private MB', 'ms', 'Process = 1', 'C = 1'], rows));
