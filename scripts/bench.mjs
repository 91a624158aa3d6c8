// npm run bench                      every benchmark below bench/: tables, and out/bench/results.json, results.md, chart.svg
// npm run bench -- start --cycles 9  one of them, with its own options
//   --quick         few rounds of each: shows that it works, and little else
//   --json FOLDER   another folder than out/bench
//   --publish       also as docs/bench.json and docs/bench.svg, which the documents show
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chart } from './lib/bench_chart.mjs';
import { circumstances, loadNow, markdown } from './lib/bench_results.mjs';
import { Failure, main, root, run, say } from './lib/run.mjs';
import { setup } from './setup.mjs';

const benches = path.join(root, 'bench');
/** What most readers look for comes first. */
const order = [
  'start',
  'queue',
  'connection',
  'lock',
  'shared',
  'pool',
  'codec',
  'copy_on_write',
  'child_speed',
  'parent',
  'scale',
];
const all = readdirSync(benches)
  .filter((name) => existsSync(path.join(benches, name, 'index.mjs')))
  .toSorted((a, b) => order.indexOf(a) - order.indexOf(b));

/** What --quick gives to each. */
const quick = {
  child_speed: ['--cycles', '1'],
  codec: ['--cycles', '3'],
  connection: ['--cycles', '1', '--sizes', '64,65536'],
  copy_on_write: ['--size', '50'],
  lock: ['--cycles', '3'],
  parent: ['--cycles', '1', '--size', '50', '--forks', '20'],
  pool: ['--cycles', '1', '--kinds', 'chunk1,apply'],
  queue: ['--cycles', '1', '--kinds', 'string64,65536'],
  scale: ['--quick'],
  shared: ['--cycles', '3'],
  start: ['--cycles', '6', '--sizes', '0'],
};

/** This script's own options, and what is left for the benchmark. */
function parse(args) {
  const options = { quick: false, publish: false, folder: path.join(root, 'out/bench'), rest: [] };
  for (let at = 0; at < args.length; at++) {
    if (args[at] === '--quick') options.quick = true;
    else if (args[at] === '--publish') options.publish = true;
    else if (args[at] === '--json') options.folder = path.resolve(args[++at] ?? '');
    else options.rest.push(args[at]);
  }
  return options;
}

/** What the benchmarks have recorded, and what went wrong: the others' results are not lost. */
function runAll(names, optionsOf, folder) {
  const lines = path.join(folder, 'results.jsonl');
  rmSync(lines, { force: true });
  const env = { ...process.env, MP_BENCH_RESULTS: lines };
  const failures = [];
  for (const name of names) {
    try {
      run(process.execPath, [path.join(benches, name, 'index.mjs'), ...optionsOf(name)], { env });
    } catch (error) {
      failures.push(error.message);
    }
  }
  const text = existsSync(lines) ? readFileSync(lines, 'utf8').trim() : '';
  rmSync(lines, { force: true });
  return { results: text === '' ? [] : text.split('\n').map((line) => JSON.parse(line)), failures };
}

function write(data, folder) {
  const files = {
    'results.json': `${JSON.stringify(data, undefined, 1)}\n`,
    'results.md': markdown(data),
    'chart.svg': chart(data),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  say(`bench: ${Object.keys(files).join(', ')} in ${folder}`);
}

const now = () => ({ date: new Date().toISOString(), load: loadNow() });

main(() => {
  const { quick: isQuick, publish, folder, rest } = parse(process.argv.slice(2));
  const [wanted, ...options] = rest;
  if (wanted !== undefined && !all.includes(wanted))
    throw new Failure(`no benchmark '${wanted}': there is ${all.join(', ')}`);
  setup();
  mkdirSync(folder, { recursive: true });
  const begin = now();
  const optionsOf = (name) => (isQuick ? [...(quick[name] ?? []), ...options] : options);
  const { results, failures } = runAll(wanted === undefined ? all : [wanted], optionsOf, folder);
  write({ ...circumstances(), begin, end: now(), isQuick, results }, folder);
  if (failures.length > 0) throw new Failure(failures.join('\n'));
  if (!publish) return;
  cpSync(path.join(folder, 'results.json'), path.join(root, 'docs/bench.json'));
  cpSync(path.join(folder, 'chart.svg'), path.join(root, 'docs/bench.svg'));
});
