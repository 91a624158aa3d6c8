// How fast a forked child works, beside a fresh process: the same kernels, rounds interleaved. The processor time is what
// others on the machine disturb least.
//   npm run bench -- child_speed [--cycles 7]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, record, table } from '../harness.mjs';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '7' } } });
const driver = fileURLToPath(new URL('node_driver.mjs', import.meta.url));
const contenders = ['forked child', 'fresh process'].map(
  (name) => new Contender(name, [process.execPath, driver, name]),
);
for (const contender of contenders) await contender.ready();
await compete(contenders, Number(values.cycles));

const [forked, fresh] = contenders.map(({ samples }) =>
  Object.fromEntries(
    Object.keys(samples[0]).map((kernel) => [
      kernel,
      {
        wall: median(samples.map((times) => times[kernel].wall)),
        cpu: median(samples.map((times) => times[kernel].cpu)),
      },
    ]),
  ),
);
const speeds = { wall: [], cpu: [] };
const rows = Object.keys(fresh).map((kernel) => {
  const cells = ['wall', 'cpu'].flatMap((clock) => {
    const speed = fresh[kernel][clock] / forked[kernel][clock];
    speeds[clock].push(speed);
    return [fresh[kernel][clock].toFixed(1), forked[kernel][clock].toFixed(1), speed.toFixed(2)];
  });
  return [kernel, ...cells];
});
const summary = (all) => {
  const mean = Math.exp(all.reduce((sum, speed) => sum + Math.log(speed), 0) / all.length);
  return `geometric mean ${mean.toFixed(3)}, slowest ${Math.min(...all).toFixed(2)}`;
};
console.log(`Node ${process.version}; milliseconds, medians of ${values.cycles} interleaved rounds\n`);
const header = ['kernel', 'fresh', 'forked', 'speed of the child', 'fresh, CPU', 'forked, CPU', 'speed by CPU time'];
console.log(table(header, rows));
console.log(`\n${summary(speeds.wall)}; by CPU time: ${summary(speeds.cpu)}`);
const meanOf = (times) => Math.exp(Object.values(times).reduce((sum, { cpu }) => sum + Math.log(cpu), 0) / rows.length);
record('work in a forked child, CPU time, mean of the kernels', {
  unit: 'ms',
  results: contenders.map(({ name, samples: rounds }) => ({ name, values: rounds.map(meanOf) })),
});
