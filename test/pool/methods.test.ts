/** What holds whatever the start method of the workers is. */

import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { getAllStartMethods, getContext, Pipe, Pool, RemoteError, TargetError } from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import * as tasks from './tasks.js';

const tasksUrl = new URL('./tasks.js', import.meta.url);

for (const startMethod of getAllStartMethods()) {
  describe(`Pool by '${startMethod}'`, () => {
    const pool = new Pool({ processes: 2, startMethod });

    after(async () => {
      pool.close();
      await pool.join();
      await stopForkServer();
    });

    it('applies a function to arguments', async () => {
      assert.equal(await pool.apply(tasks.add, [2, 3]), 5);
      assert.equal(await pool.apply(tasks.later, [4]), 40);
      assert.equal(await pool.apply(tasks.square, [4], { priority: 1 }), 16);
    });

    it('applies what is named by module and export', async () => {
      assert.equal(await pool.apply(new URL('#square', tasksUrl), [5]), 25);
      await assert.rejects(pool.apply(new URL('#nothing', tasksUrl)), TargetError);
    });

    it('maps lists, sets, generators, async generators and typed arrays, in order', async () => {
      const numbers = [3, 1, -2, 0.5, -0, Number.NaN];
      assert.deepEqual(await pool.map(tasks.echo, numbers), numbers);
      assert.deepEqual(await pool.map(tasks.square, [1, 2, 3], { chunkSize: 2 }), [1, 4, 9]);
      assert.deepEqual(await pool.map(tasks.later, [1, 2, 3], { chunkSize: 3 }), [10, 20, 30]);
      assert.deepEqual(await pool.map(tasks.square, new Set([1, 2, 3])), [1, 4, 9]);
      assert.deepEqual(await pool.map(tasks.square, Uint8Array.of(1, 2, 3)), [1, 4, 9]);
      assert.deepEqual(
        await pool.map(
          tasks.square,
          (function* () {
            yield* [1, 2, 3];
          })(),
        ),
        [1, 4, 9],
      );
      assert.deepEqual(
        await pool.map(
          tasks.square,
          (async function* () {
            yield* [1, 2, 3];
          })(),
        ),
        [1, 4, 9],
      );
      assert.deepEqual(await pool.map(tasks.square, []), []);
    });

    it('maps chunks of numbers that go on with something else, whatever numbers they are', async () => {
      const starts = [[0, -1, 2 ** 31 - 1, -(2 ** 31)], [-0, 0, 1, 2], [1, 2 ** 31, Number.NaN, 0.1], [7]];
      for (const end of [[], [undefined], ['8', 8, -0, null], [8n]]) {
        const items = starts.flatMap((start) => [...start, ...end]);
        for (const chunkSize of [3, 4 + end.length, items.length]) {
          assert.deepEqual(await pool.map(tasks.echo, items, { chunkSize }), items);
        }
      }
    });

    it('maps more numbers in one chunk than are told at once', async () => {
      const items = Array.from({ length: 40_000 }, (_, index) => (index < 30_000 ? index : index / 2));
      assert.deepEqual(await pool.map(tasks.echo, items, { chunkSize: items.length }), items);
      assert.deepEqual(await pool.map(tasks.echo, Float64Array.from(items), { chunkSize: items.length }), items);
      assert.deepEqual(
        await pool.map(tasks.later, items, { chunkSize: items.length }),
        items.map((item) => item * 10),
      );
    });

    it('maps a thousand items of every kind of value, whatever the chunks', async () => {
      const items = Array.from({ length: 1000 }, (_, index) =>
        index % 3 === 0 ? index : index % 3 === 1 ? `text ${index}` : { index, list: [index] },
      );
      for (const chunkSize of [1, 7, 1000, undefined]) {
        const options = chunkSize === undefined ? {} : { chunkSize };
        assert.deepEqual(await pool.map(tasks.echo, items, options), items);
      }
    });

    it('maps lists of arguments', async () => {
      const items: [number, number][] = [
        [1, 2],
        [3, 4],
      ];
      assert.deepEqual(await pool.starmap(tasks.add, items), [3, 7]);
    });

    it('streams results in order, or as they come', async () => {
      const results: number[] = [];
      for await (const result of pool.imap(tasks.square, [1, 2, 3, 4, 5])) results.push(result);
      assert.deepEqual(results, [1, 4, 9, 16, 25]);
      const some: number[] = [];
      for await (const result of pool.imapUnordered(tasks.square, [1, 2, 3, 4, 5], { chunkSize: 2 })) some.push(result);
      assert.deepEqual(
        some.sort((a, b) => a - b),
        [1, 4, 9, 16, 25],
      );
    });

    it('rejects with what the function throws', async () => {
      await assert.rejects(pool.apply(tasks.fail, ['on purpose']), (error: Error) => {
        assert(error instanceof RangeError);
        assert.equal(error.message, 'on purpose');
        assert.match(error.stack ?? '', /tasks\.(js|ts)/);
        return true;
      });
      await assert.rejects(pool.apply(tasks.failOddly), (error: unknown) => {
        assert(error instanceof RemoteError);
        assert.match(error.message, /odd/);
        assert.equal((error as unknown as tasks.OddError).detail, 7);
        return true;
      });
      await assert.rejects(pool.apply(tasks.failWithText), /thrown: 'just text'/);
    });

    it('has workers of its own name, that end with it', async () => {
      const { name, daemon, pid } = await pool.apply(tasks.whoAmI);
      assert.match(name, /^Worker-\d+$/);
      assert.equal(daemon, true);
      assert(pool.pids.includes(pid));
      assert.equal(pool.processes, 2);
    });

    it('runs two tasks at once', async () => {
      const [one, other] = Pipe<number>();
      const met = await Promise.all([pool.apply(tasks.meet, [one]), pool.apply(tasks.meet, [other])]);
      assert.equal(new Set(met.flat()).size, 2);
      one.close();
      other.close();
    });

    it('initialises each worker before its first task', async () => {
      const settings = { processes: 2, startMethod, initializer: tasks.prepare, initArgs: [{ a: 1 }] };
      await using other = new Pool(settings);
      assert.deepEqual(await other.map(tasks.tellPrepared, [1, 2, 3]), [{ a: 1 }, { a: 1 }, { a: 1 }]);
    });

    it('has pools inside of its tasks', async () => {
      assert.deepEqual(await pool.map(tasks.nested, [2, 3]), [4, 9]);
    });

    it('is what the context of the start method has', async () => {
      await using other = new (getContext(startMethod).Pool)(1);
      assert.equal(await other.apply(tasks.add, [1, 1]), 2);
      if (startMethod !== 'fork') assert.throws(() => other.imap(() => 1, []), TargetError);
    });

    if (startMethod !== 'fork') {
      it('refuses a closure before anything starts, and says what to do', async () => {
        await using other = new Pool({ processes: 1, startMethod });
        const secret = 1;
        await assert.rejects(
          other.apply(function reveal() {
            return secret;
          }),
          (error: Error) =>
            error instanceof TargetError && /'reveal'[\s\S]*importable\(import\.meta/.test(error.message),
        );
        assert.deepEqual(other.pids, []);
      });
    }
  });
}
