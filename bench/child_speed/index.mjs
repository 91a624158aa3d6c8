// How fast a forked child works, beside a fresh process: the same kernels, rounds interleaved.
//   npm run bench -- child_speed [--cycles 7]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, table } from '../harness.mjs';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '7' } } });
const driver = fileURLToPath(new URL('node_driver.mjs', import.meta.url));
const contenders = ['forked child', 'fresh process'].map(
  (name) => new Contender(name, [process.execPath, driver, name]),
);
for (const contender of contenders) await contender.ready();
await compete(contenders, Number(values.cycles));

const [forked, fresh] = contenders.map(({ samples }) =>
  Object.fromEntries(Object.keys(samples[0]).map((kernel) => [kernel, median(samples.map((times) => times[kernel]))])),
);
const speeds = Object.keys(fresh).map((kernel) => fresh[kernel] / forked[kernel]);
const rows = Object.keys(fresh).map((kernel, index) => [
  kernel,
  fresh[kernel].toFixed(1),
  forked[kernel].toFixed(1),
  speeds[index].toFixed(2),
]);
const mean = Math.exp(speeds.reduce((sum, speed) => sum + Math.log(speed), 0) / speeds.length);
console.log(`Node ${process.version}; medians of ${values.cycles} interleaved rounds\n`);
console.log(table(['kernel', 'fresh, ms', 'forked, ms', 'speed of the child'], rows));
console.log(`\ngeometric mean ${mean.toFixed(3)}, slowest ${Math.min(...speeds).toFixed(2)}`);
