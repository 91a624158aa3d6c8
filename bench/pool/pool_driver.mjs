// node pool_driver.mjs KIND [connection|alone|apart]: one round of a kind per line of input.
import { Pipe, Pool, Process } from '../../dist/index.js';
import { drive } from '../harness.mjs';
import { primes, sizes } from './sizes.mjs';

const [kind, how] = process.argv.slice(2);
const echo = (x) => x;

async function timed(count, run) {
  const began = performance.now();
  await run();
  return { seconds: (performance.now() - began) / 1000, count };
}

const pool = new Pool({ processes: 2, startMethod: 'fork' });
await pool.prepare(echo, primes);
const list = (length) => Array.from({ length }, (_, index) => index);
const numbers = list(sizes.map);
const few = numbers.slice(0, sizes.chunk1);
const buffer = Buffer.alloc(2 ** 20, 1);

async function applyOneByOne(args) {
  for (let left = args.count; left > 0; left -= 1) await pool.apply(echo, [args.value]);
}

/** Round trips of a Connection, both sides awaiting. */
async function roundTrips() {
  const [mine, its] = Pipe();
  const child = await new Process({
    target: async () => {
      mine.close();
      for await (const value of its) await its.send(value);
    },
    startMethod: 'fork',
  }).start();
  its.close();
  return {
    round: () =>
      timed(sizes.apply, async () => {
        for (let left = sizes.apply; left > 0; left -= 1) {
          await mine.send(left);
          await mine.recv();
        }
      }),
    end: async () => {
      mine.close();
      await child.join();
    },
  };
}

/** What the machine gives: two processes that have nothing to do with each other, each with half of the tasks. */
async function apart() {
  const half = () => {
    for (let left = sizes.cpu / 2; left > 0; left -= 1) primes(sizes.primes);
  };
  const both = [half, half].map((target) => new Process({ target, startMethod: 'fork' }));
  await Promise.all(both.map((each) => each.start()));
  await Promise.all(both.map((each) => each.join()));
  for (const each of both) each.close();
}

const connection = how === 'connection' ? await roundTrips() : undefined;
const kinds = {
  map: () => timed(numbers.length, () => pool.map(echo, numbers)),
  chunk1: () => timed(few.length, () => pool.map(echo, few, { chunkSize: 1 })),
  imap: () =>
    timed(few.length, async () => {
      for await (const _ of pool.imap(echo, few));
    }),
  apply: connection?.round ?? (() => timed(sizes.apply, () => applyOneByOne({ value: 1, count: sizes.apply }))),
  buffer: () => timed(sizes.buffer, () => applyOneByOne({ value: buffer, count: sizes.buffer })),
  cpu: () =>
    timed(sizes.cpu, async () => {
      if (how === 'apart') await apart();
      else if (how === 'alone') for (let left = sizes.cpu; left > 0; left -= 1) primes(sizes.primes);
      else await pool.map(primes, Array(sizes.cpu).fill(sizes.primes), { chunkSize: 1 });
    }),
  start: async () => {
    const other = { pool: undefined };
    const result = await timed(1, async () => {
      other.pool = new Pool({ processes: 8, startMethod: 'fork' });
      await other.pool.map((x) => x + 1, list(8));
    });
    other.pool.close();
    await other.pool.join();
    return result;
  },
};
await drive({}, kinds[kind]);
await connection?.end();
pool.close();
