/** Closures as tasks: what they captured, who runs them, what becomes of those who knew others. */

import assert from 'node:assert/strict';
import { afterEach, before, describe, it } from 'mocha';
import { forkSupport, Pipe, Pool, type PoolOptions, Process } from 'posix-multiprocessing';
import { childrenOf } from '../support/processes.js';
import { waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

describe('closures in a pool', () => {
  let pool: Pool;

  before(function () {
    if (!forkSupport().supported) this.skip();
  });

  function make(options: PoolOptions = {}): Pool {
    pool = new Pool({ processes: 1, startMethod: 'fork', ...options });
    return pool;
  }

  afterEach(async () => {
    pool.terminate();
    await pool.join();
  });

  it('have what they captured as it was when they were first submitted', async () => {
    make();
    let factor = 2;
    const scale = (x: number): number => x * factor;
    assert.equal(await pool.apply(scale, [10]), 20);
    factor = 3;
    assert.equal(await pool.apply(scale, [10]), 20);
    // Another one that is submitted now has it as it is now, and leaves the first one alone.
    assert.equal(await pool.apply(() => factor), 3);
    factor = 4;
    assert.deepEqual(await pool.map(scale, [1, 2, 3]), [2, 4, 6]);
  });

  it('return arrays with their named properties, by themselves and in chunks', async () => {
    make();
    const find = (text: string): RegExpExecArray | null => /b/.exec(text);
    const found = find('abc');
    assert.deepEqual(await pool.apply(find, ['abc']), found);
    for (const chunkSize of [1, 2]) {
      assert.deepEqual(await pool.map(find, ['abc', 'abc', 'a'], { chunkSize }), [found, found, null]);
    }
    const [, index] = await pool.map((match) => match?.index, [null, found], { chunkSize: 2 });
    assert.equal(index, 1);
  });

  it('have it in workers that are started later, too', async () => {
    make({ maxTasksPerChild: 1 });
    let state = 'first';
    const tell = (): string => `${state} ${process.pid}`;
    const told: string[] = [];
    for (const next of ['second', 'third', 'fourth']) {
      told.push(await pool.apply(tell));
      state = next;
    }
    assert.deepEqual(
      told.map((text) => text.split(' ')[0]),
      ['first', 'first', 'first'],
    );
    assert.equal(new Set(told).size, 3);
  });

  it('share what they captured: nothing of it is sent', async () => {
    make();
    const table = new Map(Array.from({ length: 10_000 }, (_, index) => [index, { index, socket: () => index }]));
    assert.deepEqual(await pool.map((x: number) => table.get(x)?.socket(), [1, 9_999]), [1, 9_999]);
  });

  it('are run by the same workers again', async () => {
    make();
    const tell = (): number => process.pid;
    const pid = await pool.apply(tell);
    assert.equal(await pool.apply(tell), pid);
    await pool.apply(() => 1);
    assert.equal(await pool.apply(tell), pid);
  });

  it('reach workers without disturbing tasks under way', async () => {
    make({ processes: 2 });
    const [mine, its] = Pipe<number>();
    const meet = (): Promise<number[]> => tasks.meet(its);
    const running = pool.apply(meet);
    const pid = await mine.recv();
    for (let round = 0; round < 3; round += 1) assert.equal(await pool.apply(() => round), round);
    await mine.send(0);
    assert.deepEqual(await running, [pid, 0]);
    mine.close();
    its.close();
  });

  it('have initArgs that could not travel', async () => {
    let settings: (() => string) | undefined;
    const initializer = (given: () => string): void => {
      settings = given;
    };
    make({ initializer, initArgs: [() => 'a closure of the parent’s'] });
    assert.equal(await pool.apply(() => settings?.()), 'a closure of the parent’s');
    assert.equal(settings, undefined);
  });

  it('come and go by the dozen, without leaving processes behind', async function () {
    this.timeout(120_000);
    make({ processes: 2 });
    for (let round = 0; round < 25; round += 1) {
      assert.deepEqual(await pool.map((x: number) => x + round, [1, 2, 3]), [1 + round, 2 + round, 3 + round]);
      // Who was told to leave takes a moment on a busy machine.
      await waitFor('no more than two functions to have workers', () => pool.pids.length <= 4);
    }
    await waitFor('fewer processes', () => childrenOf(process.pid).length <= 9);
    await waitFor('idle workers to leave', () => pool.pids.length <= 2);
  });

  it('do not work in a pool of another process', async () => {
    make();
    await pool.apply(tasks.square, [1]);
    const [mine, its] = Pipe<string>();
    const child = await new Process({
      target: async () => {
        const outcome = await pool.apply(tasks.square, [1]).catch((error: Error) => error.message);
        its.sendSync(String(outcome));
      },
      startMethod: 'fork',
    }).start();
    its.close();
    assert.match(await mine.recv(), /belongs to the process that made it/);
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    mine.close();
    assert.equal(await pool.apply(tasks.square, [3]), 9);
  });
});
