/**
 * A pool whose workers are killed at random moments, under load of every kind of call: every promise settles, every result
 * that comes is right, every task is told once, nothing is left behind.
 *
 *   node --expose-gc out/test/soak/pool_kills.js [--seconds 30] [--seed 1]
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Pool, TimeoutError, WorkerDiedError } from 'posix-multiprocessing';
import { describeDescendants } from '../support/processes.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
});
const PROCESSES = 3;
/** Milliseconds in which something has to settle; only a hang takes as long. */
const PATIENCE = 60_000;

let state = Number(values.seed) >>> 0;
/** mulberry32 */
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const upTo = (most: number): number => Math.floor(random() * (most + 1));

const counts = { calls: 0, results: 0, deaths: 0, kills: 0, timeouts: 0 };

function spinFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** The kinds of tasks. What each gives back tells what it was given. */
const tiny = (x: number): number => x * 3;
const busy = (x: number): number => {
  spinFor(x % 4);
  return x * 3;
};
const slow = async (x: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, x % 5));
  return x * 3;
};
const large = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));
const stuck = (): void => {
  for (;;);
};

/** A death, or what was asked for. */
function isDeath(error: unknown): boolean {
  if (!(error instanceof WorkerDiedError)) throw error;
  assert.equal(error.signal, 'SIGKILL');
  counts.deaths += 1;
  return true;
}

async function inTime<R>(what: string, promise: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const hang = (): void =>
      reject(new Error(`${what} hangs (seed ${values.seed})\n${describeDescendants(process.pid)}`));
    timer = setTimeout(hang, PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function applyOnce(pool: Pool): Promise<void> {
  const x = upTo(1_000_000);
  const task = [tiny, busy, slow][upTo(2)] as typeof tiny;
  try {
    assert.equal(await pool.apply(task, [x]), x * 3);
    counts.results += 1;
  } catch (error) {
    isDeath(error);
  }
}

async function applyLarge(pool: Pool): Promise<void> {
  const bytes = Buffer.alloc(upTo(2_000_000), upTo(255));
  try {
    const result = await pool.apply(large, [bytes]);
    assert(result.length === bytes.length && result.every((byte, index) => byte === ((bytes[index] as number) ^ 0xff)));
    counts.results += 1;
  } catch (error) {
    isDeath(error);
  }
}

async function mapAll(pool: Pool): Promise<void> {
  const items = Array.from({ length: upTo(5_000) }, () => upTo(1_000_000));
  try {
    const results = await pool.map(tiny, items, random() < 0.5 ? {} : { chunkSize: 1 + upTo(50) });
    assert.deepEqual(
      results,
      items.map((x) => x * 3),
    );
    counts.results += 1;
  } catch (error) {
    isDeath(error);
  }
}

/** Each item has one outcome, in its place. */
async function stream(pool: Pool): Promise<void> {
  const items = Array.from({ length: upTo(200) }, () => upTo(1_000_000));
  const results = pool.imap(random() < 0.5 ? busy : slow, items, { chunkSize: 1 + upTo(3) });
  for (const item of items) {
    try {
      assert.deepEqual(await results.next(), { done: false, value: item * 3 });
      counts.results += 1;
    } catch (error) {
      isDeath(error);
    }
  }
  assert.equal((await results.next()).done, true);
}

async function takeTooLong(pool: Pool): Promise<void> {
  try {
    await pool.apply(stuck, [], { timeout: 5, graceTime: 5 });
    assert.fail('it can not end');
  } catch (error) {
    if (error instanceof TimeoutError) counts.timeouts += 1;
    else isDeath(error);
  }
}

const calls = [applyOnce, applyOnce, applyOnce, applyOnce, applyLarge, mapAll, stream, takeTooLong];

async function client(pool: Pool, until: number): Promise<void> {
  while (performance.now() < until) {
    const call = calls[upTo(calls.length - 1)] as typeof applyOnce;
    counts.calls += 1;
    await inTime(call.name, call(pool));
  }
}

async function killer(pool: Pool, until: number): Promise<void> {
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, upTo(40)));
    const { pids } = pool;
    const pid = pids[upTo(pids.length - 1)];
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
      counts.kills += 1;
    } catch {
      // It has ended meanwhile.
    }
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

async function round(seconds: number): Promise<void> {
  const pool = new Pool(PROCESSES);
  // One generation: what is killed is workers, not what makes them.
  await pool.prepare(tiny, busy, slow, large, stuck);
  const until = performance.now() + seconds * 1000;
  await Promise.all([killer(pool, until), ...Array.from({ length: 12 }, () => client(pool, until))]);
  pool.close();
  assert(await inTime('join()', pool.join()));
}

const end = performance.now() + Number(values.seconds) * 1000;
await round(1);
const before = descriptors();
while (performance.now() < end) {
  await round(Math.min(10, Math.max(1, (end - performance.now()) / 1000)));
  assert(descriptors() <= before, `${descriptors() - before} descriptors are left`);
}
console.log(
  `pool: ${counts.calls} calls, ${counts.results} results, ${counts.kills} kills, ${counts.deaths} tasks died, ` +
    `${counts.timeouts} took too long; seed ${values.seed}`,
);
