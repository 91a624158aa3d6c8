/** imap, imapUnordered and map over what has no length: windows, back-pressure, errors, ends. */

import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { Pool, Queue } from 'posix-multiprocessing';
import { PATIENCE, waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

describe('streams through a pool', () => {
  const pool = new Pool(2);
  /** 4 tasks for each of 2 workers. */
  const window = 8;

  after(async () => {
    pool.close();
    await pool.join();
  });

  it('read no further ahead than 4 tasks a worker', async () => {
    let read = 0;
    const endless = function* (): Generator<number> {
      for (;;) yield read++;
    };
    const results = pool.imap(tasks.square, endless());
    await waitFor('the window to be full', () => read === window);
    for (let count = 0; count < 100; count += 1) {
      assert.equal((await results.next()).value, count * count);
      assert(read <= count + 1 + window, `${read} items were read for ${count + 1} results`);
    }
    await results.return?.();
    const before = read;
    assert.equal((await results.next()).done, true);
    assert.equal(read, before);
  });

  it('may read from what an earlier task has made: each is begun while the next item is read', async () => {
    using queue = new Queue<number>();
    const timeout = PATIENCE / 2;
    const following = function* (): Generator<number> {
      yield 0;
      for (let count = 1; count < 20; count += 1) yield queue.getSync({ timeout }) + 1;
    };
    const add = (item: number): number => {
      queue.putSync(item);
      return item;
    };
    let expected = 0;
    for await (const item of pool.imap(add, following())) assert.equal(item, expected++);
    assert.equal(expected, 20);
  });

  it('count chunks as tasks', async () => {
    let read = 0;
    const endless = async function* (): AsyncGenerator<number> {
      for (;;) yield read++;
    };
    const results = pool.imapUnordered(tasks.square, endless(), { chunkSize: 3 });
    for (let count = 0; count < 50; count += 1) {
      await results.next();
      // What is read from an async iterable before it can be sent is bounded as well.
      assert(read <= count + 1 + 2 * 3 * window + 3, `${read} items were read for ${count + 1} results`);
    }
    await results.return?.();
  });

  it('close what they read from when the loop is left', async () => {
    let closed = 0;
    const source = function* (): Generator<number> {
      try {
        for (let index = 0; ; index += 1) yield index;
      } finally {
        closed += 1;
      }
    };
    for await (const result of pool.imap(tasks.square, source())) if (result === 9) break;
    assert.equal(closed, 1);
    const asyncSource = async function* (): AsyncGenerator<number> {
      try {
        for (let index = 0; ; index += 1) yield index;
      } finally {
        closed += 1;
      }
    };
    for await (const result of pool.imap(tasks.square, asyncSource())) if (result === 9) break;
    await waitFor('the end of the source', () => closed === 2);
  });

  it('give results to several who ask at once, in order', async () => {
    const results = pool.imap(tasks.square, [1, 2, 3]);
    const steps = await Promise.all([results.next(), results.next(), results.next(), results.next()]);
    assert.deepEqual(
      steps.map(({ value }) => value),
      [1, 4, 9, undefined],
    );
    assert.equal(steps[3]?.done, true);
  });

  it('have an error in its place, and go on behind it', async () => {
    const results = pool.imap(
      (x: number) => {
        if (x % 2 === 1) throw new RangeError(`odd ${x}`);
        return x;
      },
      [0, 1, 2, 3, 4],
    );
    assert.equal((await results.next()).value, 0);
    await assert.rejects(results.next(), { message: 'odd 1' });
    assert.equal((await results.next()).value, 2);
    await assert.rejects(results.next(), { message: 'odd 3' });
    assert.equal((await results.next()).value, 4);
    assert.equal((await results.next()).done, true);
  });

  it('tell what the items’ iterator throws behind all earlier results', async () => {
    const failing = function* (): Generator<number> {
      yield* [1, 2, 3];
      throw new TypeError('no more items');
    };
    const results = pool.imap(tasks.square, failing());
    for (const square of [1, 4, 9]) assert.equal((await results.next()).value, square);
    await assert.rejects(results.next(), { message: 'no more items' });
    assert.equal((await results.next()).done, true);
    await assert.rejects(pool.map(tasks.square, failing()), { message: 'no more items' });
    const failingLater = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new TypeError('no more items');
    };
    await assert.rejects(pool.map(tasks.square, failingLater()), { message: 'no more items' });
  });

  it('map a hundred thousand items without a length, in order', async function () {
    this.timeout(60_000);
    const many = function* (): Generator<number> {
      for (let index = 0; index < 100_000; index += 1) yield index;
    };
    const results = await pool.map(tasks.echo, many());
    assert.equal(results.length, 100_000);
    assert(results.every((value, index) => value === index));
  });

  it('do all of a list although nobody reads, when the pool is closed', async () => {
    const other = new Pool(1);
    const ran = new Queue<number>();
    const items = Array.from({ length: 20 }, (_, index) => index);
    const run = (x: number): number => {
      ran.putSync(x);
      return x;
    };
    const results = other.imap(run, items);
    other.close();
    assert.equal(await other.join(), true);
    assert.equal(ran.size, 20);
    const read: number[] = [];
    for await (const result of results) read.push(result);
    assert.deepEqual(read, items);
    ran.close();
  });

  it('tell how far they are', async () => {
    const told: [number, number | undefined][] = [];
    await pool.map(tasks.square, [1, 2, 3, 4], { chunkSize: 1, onProgress: (...progress) => told.push(progress) });
    assert.deepEqual(told.at(-1), [4, 4]);
    assert.deepEqual(
      told.map(([done]) => done),
      [1, 2, 3, 4],
    );
    const oops = (): never => {
      throw new TypeError('in the callback');
    };
    await assert.rejects(pool.map(tasks.square, [1, 2, 3], { onProgress: oops }), { message: 'in the callback' });
  });

  it('refuse bad arguments before anything is done', async () => {
    assert.throws(() => pool.imap(tasks.square, [1], { chunkSize: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => pool.imap(tasks.square, 5 as unknown as number[]), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => pool.imap(7 as unknown as string, []), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(pool.map(tasks.square, [1], { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(pool.map(tasks.square, [1], { onProgress: 1 as unknown as () => void }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    await assert.rejects(pool.apply(tasks.square, 1 as unknown as [number]), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(pool.apply(tasks.square, [1], { signal: {} as AbortSignal }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });
});
