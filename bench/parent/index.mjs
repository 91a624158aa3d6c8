// What a parent pays for having forked: its own speed and its child_process.spawn() before and after 100 forks, with a large
// heap; beside a process that has not forked in between. Rounds interleaved, the best of all counts.
//   npm run bench -- parent [--cycles 5] [--size 300] [--forks 100]

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bestOf } from '../child_speed/kernels.mjs';
import { record, table } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    size: { type: 'string', default: '300' },
    forks: { type: 'string', default: '100' },
  },
});
const driver = fileURLToPath(new URL('node_driver.mjs', import.meta.url));
const run = (forks) => JSON.parse(execFileSync(process.execPath, [driver, values.size, forks], { encoding: 'utf8' }));

const contenders = { [`${values.forks} forks`]: [], 'no fork': [] };
for (let cycle = 0; cycle < Number(values.cycles); cycle++) {
  contenders[`${values.forks} forks`].push(run(values.forks));
  contenders['no fork'].push(run('0'));
}
const [forked, control] = Object.values(contenders);
const ratio = (rounds, what, clock) => {
  const [before, after] = ['before', 'after'].map(
    (moment) => bestOf(rounds.map((round) => round[moment][what]))[clock],
  );
  return { before, after, ratio: after / before };
};
const ratios = { wall: [], cpu: [] };
const rows = Object.keys(forked[0].before).map((what) => {
  const cells = ['wall', 'cpu'].flatMap((clock) => {
    const own = ratio(forked, what, clock);
    if (what !== 'spawn') ratios[clock].push(own.ratio);
    return [own.before, own.after, own.ratio, ratio(control, what, clock).ratio];
  });
  return [what, ...cells.map((figure) => figure.toFixed(2))];
});
console.log(
  `Node ${process.version}; milliseconds, the best of ${values.cycles} interleaved rounds; ${values.size} MB of objects\n`,
);
const columns = ['before', `after ${values.forks} forks`, 'ratio', 'ratio without forks'];
console.log(table(['', ...columns, ...columns.map((column) => `${column}, CPU`)], rows));
const slowdown = (round) => {
  const ratioOf = ([what, { cpu }]) => (what === 'spawn' ? 1 : cpu / round.before[what].cpu);
  const all = Object.entries(round.after).map(ratioOf);
  return Math.exp(all.reduce((sum, one) => sum + Math.log(one), 0) / (all.length - 1));
};
record(`own work after ${values.forks} forks, CPU time, before = 1`, {
  unit: '',
  results: Object.entries(contenders).map(([name, rounds]) => ({ name, values: rounds.map(slowdown) })),
});
const summary = (all) => {
  const mean = Math.exp(all.reduce((sum, one) => sum + Math.log(one), 0) / all.length);
  return `geometric mean ${mean.toFixed(3)}, worst ${Math.max(...all).toFixed(2)}`;
};
console.log(
  `\nown work: ${summary(ratios.wall)}; by CPU time, which others on the machine disturb less: ${summary(ratios.cpu)}`,
);
