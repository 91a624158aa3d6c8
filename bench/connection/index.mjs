// Round trips of 64 bytes and throughput at several sizes over a Connection, beside C, CPython and Node's own ways, in
// interleaved rounds.   npm run bench -- connection [--cycles 5] [--sizes 64,65536,1048576]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, report } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '64,65536,1048576' },
    python: { type: 'string', default: 'python3' },
  },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-connection-'));
const floor = join(folder, 'c_floor');
if (spawnSync('cc', ['-O2', '-o', floor, here('c_floor.c')], { stdio: 'inherit' }).status !== 0) process.exit(1);

async function race(what, size, show) {
  const node = (...args) => [process.execPath, here('connection_driver.mjs'), ...args, what, size];
  const all = {
    'C, pipe': [floor, 'pipe', what, size],
    'C, Unix socket': [floor, 'unix', what, size],
    'Connection sync, one-way': node('sync', 'oneway'),
    'Connection sync, duplex': node('sync', 'duplex'),
    'Connection async, one-way': node('async', 'oneway'),
    'Connection async, duplex': node('async', 'duplex'),
    'process.send': [process.execPath, here('node_driver.mjs'), 'send', what, size],
    'Worker postMessage': [process.execPath, here('node_driver.mjs'), 'postMessage', what, size],
    'CPython Pipe, one-way': [values.python, here('cpython_driver.py'), 'oneway', what, size],
    'CPython Pipe, duplex': [values.python, here('cpython_driver.py'), 'duplex', what, size],
  };
  const contenders = [];
  for (const [name, command] of Object.entries(all)) contenders.push(await new Contender(name, command).ready());
  await compete(contenders, Number(values.cycles));
  const times = contenders.map(({ samples }) => median(samples.map(({ seconds, count }) => seconds / count)));
  const rows = contenders.map(({ name }, index) => [name, show(times[index]), (times[index] / times[0]).toFixed(2)]);
  report(`Connection: ${what}, ${size} bytes`, {
    header: ['', 'figure', 'time, C pipe = 1'],
    rows,
    unit: 'µs',
    results: contenders.map(({ name, samples }) => ({
      name,
      values: samples.map(({ seconds, count }) => (seconds * 1e6) / count),
    })),
  });
}

await race('pingpong', '64', (time) => `${(time * 1e6).toFixed(2)} µs`);
for (const size of values.sizes.split(',')) {
  await race('stream', size, (time) =>
    size === '64' ? `${(1 / time / 1000).toFixed(0)} k/s` : `${(Number(size) / time / 1e9).toFixed(2)} GB/s`,
  );
}
rmSync(folder, { recursive: true });
