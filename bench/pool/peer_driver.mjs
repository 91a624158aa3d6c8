// node peer_driver.mjs KIND NAME: a pool of npm, two workers; one round per line of input. Runs where the pools are installed.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [kind, name] = process.argv.slice(2);
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const two = { minThreads: 2, maxThreads: 2 };

/** A function that runs the task in a worker. */
const pools = {
  async piscina() {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({ filename: here('peer_task.mjs'), ...two });
    return (value) => pool.run(value);
  },
  async tinypool(runtime = 'worker_threads') {
    const { Tinypool } = await import('tinypool');
    const pool = new Tinypool({ filename: here('peer_task.mjs'), runtime, ...two });
    return (value) => pool.run(value);
  },
  'tinypool processes': () => pools.tinypool('child_process'),
  async workerpool(workerType = 'thread') {
    const { default: workerpool } = await import('workerpool');
    const pool = workerpool.pool(here('workerpool_task.mjs'), { minWorkers: 2, maxWorkers: 2, workerType });
    return (value) => pool.exec('echo', [value]);
  },
  'workerpool processes': () => pools.workerpool('process'),
  async poolifier() {
    const { FixedThreadPool } = await import('poolifier');
    const pool = new FixedThreadPool(2, here('poolifier_task.mjs'));
    return (value) => pool.execute(value);
  },
  async 'jest-worker'() {
    const { Worker } = await import('jest-worker');
    const pool = new Worker(here('peer_task.cjs'), { numWorkers: 2, exposedMethods: ['echo'] });
    return (value) => pool.echo(value);
  },
};

const run = await pools[name]();
const buffer = Buffer.alloc(2 ** 20, 1);

/** So many tasks in flight: more of them make these pools slower. */
async function inFlight(count, width) {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await run(left);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

const rounds = {
  chunk1: { count: 10_000, run: (count) => inFlight(count, 64) },
  apply: { count: 2_000, run: (count) => inFlight(count, 1) },
  buffer: {
    count: 200,
    run: async (count) => {
      for (let left = count; left > 0; left -= 1) await run(buffer);
    },
  },
};
const round = rounds[kind];
await run(0);
console.log('{}');
for await (const _ of createInterface({ input: process.stdin })) {
  const began = performance.now();
  await round.run(round.count);
  console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, count: round.count }));
}
process.exit();
