// Tasks a second through a Pool of two workers, beside CPython's and npm's pools, in interleaved rounds.
//   npm run bench -- pool [--cycles 5] [--kinds map,chunk1,imap,apply,buffer,cpu,start] [--only NAME,…]
// The pools of npm are installed on first use, below out/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, compete, median, report } from '../harness.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '5' },
    kinds: { type: 'string', default: 'map,chunk1,imap,apply,buffer,cpu,start' },
    only: { type: 'string', default: '' },
    python: { type: 'string', default: 'python3' },
  },
});
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const peers = fileURLToPath(new URL('../../out/bench-peers', import.meta.url));

/** The pools of npm, apart from the project's own packages. */
function installPeers() {
  mkdirSync(peers, { recursive: true });
  copyFileSync(here('peers.json'), path.join(peers, 'package.json'));
  if (!existsSync(path.join(peers, 'node_modules'))) {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: peers, stdio: 'inherit' });
  }
  for (const file of [
    'peer_driver.mjs',
    'peer_task.mjs',
    'peer_task.cjs',
    'workerpool_task.mjs',
    'poolifier_task.mjs',
  ]) {
    copyFileSync(here(file), path.join(peers, file));
  }
}

const ours = (kind, ...how) => [process.execPath, here('pool_driver.mjs'), kind, ...how];
const python = (kind, pool) => [values.python, here('cpython_driver.py'), kind, pool];
const peer = (kind, name) => [process.execPath, path.join(peers, 'peer_driver.mjs'), kind, name];

/** These send a buffer as a list of numbers: a round of them takes minutes. */
const sendJson = new Set(['tinypool processes', 'workerpool processes']);

function contendersFor(kind) {
  const cpython = { 'CPython Pool': python(kind, 'Pool') };
  const executors = { ...cpython, 'CPython ProcessPoolExecutor': python(kind, 'ProcessPoolExecutor') };
  const npm = Object.fromEntries(
    ['piscina', 'tinypool', 'tinypool processes', 'workerpool', 'workerpool processes', 'poolifier', 'jest-worker'].map(
      (name) => [name, peer(kind, name)],
    ),
  );
  const all = {
    map: { Pool: ours(kind), ...cpython },
    chunk1: { Pool: ours(kind), ...executors, ...npm },
    imap: { Pool: ours(kind), ...cpython },
    apply: { Pool: ours(kind), Connection: ours(kind, 'connection'), ...cpython, ...npm },
    buffer: {
      Pool: ours(kind),
      ...cpython,
      ...Object.fromEntries(Object.entries(npm).filter(([name]) => !sendJson.has(name))),
    },
    cpu: {
      Pool: ours(kind),
      'one process': ours(kind, 'alone'),
      'two processes apart': ours(kind, 'apart'),
      ...cpython,
    },
    start: { Pool: ours(kind), ...cpython },
  }[kind];
  const only = values.only.split(',').filter((name) => name !== '');
  return Object.entries(all).filter(([name]) => only.length === 0 || only.includes(name));
}

installPeers();
for (const kind of values.kinds.split(',')) {
  const contenders = [];
  for (const [name, command] of contendersFor(kind)) contenders.push(await new Contender(name, command).ready());
  await compete(contenders, Number(values.cycles));
  const perTask = ({ samples }) => median(samples.map(({ seconds, count }) => seconds / count));
  const base = perTask(contenders[0]);
  const rows = contenders.map((contender) => {
    const seconds = perTask(contender);
    const rate = 1 / seconds;
    const shown =
      rate > 1e6
        ? `${(rate / 1e6).toFixed(2)} M/s`
        : rate > 1000
          ? `${(rate / 1000).toFixed(1)} k/s`
          : `${rate.toFixed(1)} /s`;
    return [
      contender.name,
      shown,
      `${(seconds * 1e6).toFixed(seconds < 1e-4 ? 2 : 0)} us`,
      (base / seconds).toFixed(2),
    ];
  });
  report(`Pool: ${kind}`, {
    header: ['', 'rate', 'each', 'rate, first = 1'],
    rows,
    unit: 'us a task',
    results: contenders.map(({ name, samples }) => ({
      name,
      values: samples.map(({ seconds, count }) => (seconds * 1e6) / count),
    })),
  });
}
