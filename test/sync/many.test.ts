import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { Condition, Event, Lock, Process, RLock, Semaphore } from 'posix-multiprocessing';
import { ownNames } from '../support/processes.js';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { end, withWords } from './locks.js';

const held = (): [number, string[]] => [readdirSync('/proc/self/fd').length, ownNames()];
/** How many pieces of memory are mapped. */
const arenas = (): number => readFileSync('/proc/self/maps', 'latin1').split('multiprocessing arena').length;
const collect = (): void => globalThis.gc?.();

describe('thousands of locks', () => {
  it('take no descriptor and no name each', async () => {
    const [descriptors, names] = held();
    const locks = Array.from({ length: 10_000 }, () => new Lock());
    for (const lock of locks) {
      lock.acquireSync();
      assert.equal(lock.tryAcquire(), false);
      lock.release();
    }
    // One for each piece of memory, for as long as something is in it.
    const [more, same] = held();
    assert.ok(more <= descriptors + 5);
    assert.deepEqual(same, names);
    for (const lock of locks) lock.close();
    await waitFor('the memory to be let go', () => held()[0] <= descriptors);
  });

  it('are apart from each other, also after some were closed and others made', async () => {
    const locks = Array.from({ length: 2000 }, () => new Lock());
    for (const [index, lock] of locks.entries()) if (index % 2 === 0) lock.acquireSync();
    for (const [index, lock] of locks.entries()) if (index % 3 === 0) lock.close();
    const more = Array.from({ length: 2000 }, () => new Lock());
    for (const lock of more) assert.equal(lock.tryAcquire(), true);
    for (const [index, lock] of locks.entries()) {
      if (index % 3 !== 0) assert.equal(lock.locked, index % 2 === 0);
      lock.close();
    }
    for (const lock of more) lock.close();
  });

  it('do not get the memory of one that a child may still have', async () => {
    const lock = new Lock();
    lock.acquireSync();
    await withWords(async (words) => {
      const child = await new Process({
        target: async () => {
          await lock.acquire();
          words[0] = 1;
          await new Promise((resolve) => setTimeout(resolve, 100_000));
        },
      }).start();
      lock.close();
      const more = Array.from({ length: 100 }, () => new Lock());
      for (const one of more) {
        assert.equal(one.tryAcquire(), true);
        one.release();
      }
      assert.equal(words[0], 0);
      await end(child);
      for (const one of more) one.close();
    });
  });

  it('may be made by parent and children at the same time', async () => {
    const own = new Lock();
    own.close(); // its memory is vacant, in both
    await withWords(async (words) => {
      const child = await new Process({
        target: () => {
          const lock = new Lock();
          lock.acquireSync();
          words[0] = 1;
          while (words[0] === 1);
        },
      }).start();
      await waitFor('the child to hold its own', () => words[0] === 1);
      const lock = new Lock();
      assert.equal(lock.locked, false);
      words[0] = 2;
      await child.join();
      child.close();
      lock.close();
    });
  });

  it('give their memory back when they are dropped without being closed', async () => {
    const use = (semaphore: Semaphore): boolean => semaphore.tryAcquire();
    const before = arenas();
    for (let index = 0; index < 50_000; index += 1) use(new Semaphore(1));
    await waitFor('all of it to be unmapped', () => {
      collect();
      return arenas() <= before;
    });
  });
});

describe('a thousand pending acquires', () => {
  // In a process of its own, where nobody else's garbage is counted.
  it('leave the pool of threads, timers and memory alone', async () => {
    const { stdout, stderr } = await runScript(
      `import { readdirSync, readFileSync } from 'node:fs';
       import { readFile } from 'node:fs/promises';
       import { Lock } from 'posix-multiprocessing';
       const threads = () => readdirSync('/proc/self/task').length;
       const locks = Array.from({ length: 1000 }, () => new Lock());
       const wait = () => locks.map((lock) => lock.acquire());
       const release = () => { for (const lock of locks) lock.release(); };
       for (const lock of locks) lock.acquireSync();
       // Once before: what is made once for all of them does not count.
       let waits = wait();
       release();
       await Promise.all(waits);
       waits = undefined;
       const threadsBefore = threads();
       gc();
       const before = process.memoryUsage().heapUsed;
       waits = wait();
       gc();
       const bytes = (process.memoryUsage().heapUsed - before) / waits.length;
       const more = threads() - threadsBefore;
       // More of them than the pool has threads.
       await Promise.all(Array.from({ length: 50 }, () => readFile('/proc/self/stat')));
       await new Promise((resolve) => setTimeout(resolve, 1));
       release();
       const taken = await Promise.all(waits);
       for (const lock of locks) lock.close();
       console.log(JSON.stringify({ bytes, more, taken: taken.every(Boolean) }));`,
      { nodeFlags: ['--expose-gc'] },
    );
    const found = JSON.parse(stdout || '{}') as { bytes: number; more: number; taken: boolean };
    assert.ok(found.bytes < 1024, `${found.bytes} bytes each; ${stderr}`);
    assert.ok(found.more <= 8, `${found.more} threads`);
    assert.equal(found.taken, true);
  });

  it('end each in its own way', async () => {
    const locks = Array.from({ length: 300 }, () => new Lock());
    for (const lock of locks) lock.acquireSync();
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const waits = locks.map((lock, index) =>
      [
        () => lock.acquire(),
        () => lock.acquire({ timeout: 20 }),
        () => lock.acquire({ signal: controller.signal }).catch((error: Error) => error.name),
      ][index % 3]?.(),
    );
    controller.abort();
    for (const [index, lock] of locks.entries()) if (index % 3 === 0) lock.release();
    const outcomes = await Promise.all(waits);
    for (const [index, outcome] of outcomes.entries()) assert.equal(outcome, [true, false, 'AbortError'][index % 3]);
    for (const lock of locks) lock.close();
  });

  it('of every kind are in one room', async () => {
    const event = new Event();
    const semaphore = new Semaphore(0);
    const lock = new RLock();
    const condition = new Condition(lock);
    const threads = readdirSync('/proc/self/task').length;
    const waits = [event.wait(), semaphore.acquire(), condition.use(() => condition.wait())];
    await waitFor('one thread', () => readdirSync('/proc/self/task').length - threads <= 1);
    await condition.use(() => condition.notify());
    event.set();
    semaphore.release();
    assert.deepEqual(await Promise.all(waits), [true, true, true]);
    for (const one of [event, semaphore, condition, lock]) one.close();
  });
});
