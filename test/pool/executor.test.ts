/** ProcessPoolExecutor, Future, asCompleted, waitFutures. */

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import {
  asCompleted,
  BrokenPoolError,
  CancelledError,
  type Connection,
  Future,
  getContext,
  InvalidStateError,
  Pipe,
  ProcessPoolExecutor,
  SerializationError,
  TimeoutError,
  WorkerDiedError,
  waitFutures,
} from 'posix-multiprocessing';
import * as tasks from './tasks.js';

describe('ProcessPoolExecutor', () => {
  let executor: ProcessPoolExecutor;
  let pipes: Connection[] = [];

  function make(options: ConstructorParameters<typeof ProcessPoolExecutor>[0] = {}): ProcessPoolExecutor {
    executor = new ProcessPoolExecutor({ maxWorkers: 1, ...options });
    return executor;
  }

  /** A task that runs until it is let go. */
  async function held(): Promise<{ future: Future<number[]>; letGo: () => Promise<void> }> {
    const [mine, its] = Pipe<number>();
    pipes.push(mine, its);
    const future = executor.submit(tasks.meet, its);
    await mine.recv();
    return { future, letGo: () => mine.send(1) };
  }

  afterEach(async () => {
    executor.terminateWorkers();
    await executor.shutdown();
    for (const end of pipes) end.close();
    pipes = [];
  });

  it('submits functions, whose futures give results and errors', async () => {
    make();
    const offset = 5;
    const future = executor.submit((a: number, b: number) => a + b + offset, 1, 2);
    assert(future instanceof Future);
    assert.equal(future.done, false);
    assert.equal(await future, 8);
    assert.equal(await future.result(), 8);
    assert.equal(await future.exception(), undefined);
    assert.equal(future.done, true);
    assert.equal(future.running, false);
    assert.equal(future.cancel(), false);
    const failing = executor.submit(tasks.fail, 'on purpose');
    await assert.rejects(failing.result(), { message: 'on purpose' });
    assert((await failing.exception()) instanceof RangeError);
    await assert.rejects(async () => failing, RangeError);
    assert.equal(await failing.catch(() => 'caught'), 'caught');
    assert.equal(await future.finally(() => {}), 8);
  });

  it('says nothing of an error that nobody asks for', async () => {
    make();
    const failing = executor.submit(tasks.fail, 'on purpose');
    await waitFutures([failing]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(failing.done, true);
  });

  it('has futures that wait for so long, and can be asked again', async () => {
    make();
    const { future, letGo } = await held();
    assert.equal(future.running, true);
    await assert.rejects(future.result({ timeout: 20 }), TimeoutError);
    await assert.rejects(future.exception({ timeout: 0 }), TimeoutError);
    await assert.rejects(future.result({ signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
    await letGo();
    assert.equal((await future).length, 2);
  });

  it('cancels what has not been begun', async () => {
    make();
    const { future, letGo } = await held();
    const waiting = [1, 2, 3].map((x) => executor.submit(tasks.square, x));
    assert.equal(future.cancel(), false);
    assert.equal(waiting[1]?.cancel(), true);
    assert.equal(waiting[1]?.cancel(), true);
    assert.equal(waiting[1]?.cancelled, true);
    await letGo();
    await future;
    assert.equal(await waiting[0], 1);
    assert.equal(await waiting[2], 9);
    await assert.rejects(async () => waiting[1]?.result(), CancelledError);
    await assert.rejects(async () => waiting[1]?.exception(), CancelledError);
  });

  it('calls back when a future is done, in order, and at once when it is', async () => {
    make();
    const { future, letGo } = await held();
    const calls: string[] = [];
    future.addDoneCallback((done) => calls.push(`first ${done.done}`));
    future.addDoneCallback(() => calls.push('second'));
    await letGo();
    await future;
    assert.deepEqual(calls, ['first true', 'second']);
    future.addDoneCallback(() => calls.push('third'));
    assert.deepEqual(calls, ['first true', 'second', 'third']);
  });

  it('has arguments that can not travel as its future’s error', async () => {
    make();
    const future = executor.submit(tasks.echo, () => {});
    await assert.rejects(future.result(), SerializationError);
  });

  it('maps several iterables side by side, the shortest wins', async () => {
    make();
    const sums: number[] = [];
    for await (const sum of executor.map<number>(tasks.add, [
      [1, 2, 3],
      [10, 20],
    ])) {
      sums.push(sum);
    }
    assert.deepEqual(sums, [11, 22]);
    const squares: number[] = [];
    for await (const square of executor.map<number>(tasks.square, [new Set([1, 2, 3])], { chunkSize: 2 })) {
      squares.push(square);
    }
    assert.deepEqual(squares, [1, 4, 9]);
  });

  it('ends a map with the first error', async () => {
    make();
    const results = executor.map<number>(
      (x: number) => {
        if (x === 2) throw new RangeError('two');
        return x;
      },
      [[1, 2, 3]],
    );
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), { message: 'two' });
    assert.equal((await results.next()).done, true);
    assert.equal(await executor.submit(tasks.square, 3), 9);
  });

  it('ends a map whose time is up', async () => {
    make();
    const { letGo } = await held();
    const results = executor.map(tasks.square, [[1]], { timeout: 30 });
    await assert.rejects(results.next(), TimeoutError);
    await letGo();
  });

  it('is shut down when all is done', async () => {
    make();
    const futures = [1, 2, 3].map((x) => executor.submit(tasks.square, x));
    await executor.shutdown();
    assert.deepEqual(
      futures.map(({ done }) => done),
      [true, true, true],
    );
    assert.throws(() => executor.submit(tasks.square, 1), InvalidStateError);
    await executor.shutdown();
  });

  it('is shut down without what has not been begun', async () => {
    make();
    const { future, letGo } = await held();
    const waiting = executor.submit(tasks.square, 1);
    await executor.shutdown({ wait: false, cancelFutures: true });
    assert.equal(waiting.cancelled, true);
    await letGo();
    assert.equal((await future).length, 2);
    await executor.shutdown();
  });

  it('loses one task with one worker', async () => {
    make();
    const dying = executor.submit(tasks.exitWith, 3);
    const other = executor.submit(tasks.square, 3);
    await assert.rejects(dying.result(), WorkerDiedError);
    assert.equal(await other, 9);
  });

  it('is broken by a worker’s death when it is strict', async () => {
    make({ strict: true, maxWorkers: 3 });
    const { future } = await held();
    const dying = executor.submit(tasks.exitWith, 3);
    const other = executor.submit(tasks.spin);
    await assert.rejects(dying.result(), (error: Error) => {
      assert(error instanceof BrokenPoolError);
      assert(error.cause instanceof WorkerDiedError);
      assert.equal(error.cause.exitCode, 3);
      return true;
    });
    await assert.rejects(other.result(), BrokenPoolError);
    await assert.rejects(future.result(), BrokenPoolError);
    assert.throws(() => executor.submit(tasks.square, 1), BrokenPoolError);
  });

  it('has futures as they are done, each once', async () => {
    make();
    const { future: first, letGo } = await held();
    const second = executor.submit(tasks.square, 2);
    const third = executor.submit(tasks.fail, 'third');
    await letGo();
    const seen: [Future<unknown>, string][] = [];
    for await (const { future, status } of asCompleted<unknown>([third, second, first, first]))
      seen.push([future, status]);
    assert.deepEqual(
      seen.map(([, status]) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
    assert.deepEqual(
      seen.map(([future]) => future),
      [first, second, third],
    );
  });

  it('tells of those that are not done in time', async () => {
    make();
    const done = executor.submit(tasks.square, 2);
    await done;
    const { future, letGo } = await held();
    const completed = asCompleted<unknown>([future, done], { timeout: 30 });
    assert.equal((await completed.next()).value?.future, done);
    await assert.rejects(completed.next(), { name: 'TimeoutError', message: '1 (of 2) futures are not done' });
    const { done: before, notDone } = await waitFutures<unknown>([future, done], { timeout: 20 });
    assert.deepEqual([[...before], [...notDone]], [[done], [future]]);
    await letGo();
  });

  it('waits for the first, for the first error, and for all', async () => {
    make();
    const { future, letGo } = await held();
    const second = executor.submit(tasks.fail, 'second');
    const third = executor.submit(tasks.square, 3);
    await letGo();
    const first = await waitFutures<unknown>([future, second, third], { returnWhen: 'FIRST_COMPLETED' });
    assert(first.done.has(future));
    const error = await waitFutures<unknown>([future, second, third], { returnWhen: 'FIRST_EXCEPTION' });
    assert(error.done.has(second));
    const all = await waitFutures<unknown>([future, second, third, third]);
    assert.equal(all.done.size, 3);
    assert.equal((await waitFutures([])).done.size, 0);
    await assert.rejects(waitFutures([third], { returnWhen: 'SOON' as 'ALL_COMPLETED' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    assert.throws(() => asCompleted([1 as unknown as Future<number>]), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('refuses bad options', () => {
    make();
    assert.throws(() => new ProcessPoolExecutor({ maxWorkers: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new ProcessPoolExecutor({ initializer: 5 as unknown as string }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    assert.throws(() => executor.submit(5 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => executor.map(tasks.square, [[1]], { chunkSize: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(new (getContext('fork').ProcessPoolExecutor)({ maxWorkers: 1 }) instanceof ProcessPoolExecutor, true);
  });
});
