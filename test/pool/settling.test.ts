/** The table of docs/pool.md: what happens to a task, to the others and to the pool, in every circumstance. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'mocha';
import {
  BrokenPoolError,
  CancelledError,
  InvalidStateError,
  Pipe,
  Pool,
  type PoolOptions,
  Queue,
  RemoteError,
  SerializationError,
  TimeoutError,
  taskSignal,
  WorkerDiedError,
} from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

const isGone = (pid: number): boolean => {
  try {
    return /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

describe('what becomes of tasks', () => {
  let pool: Pool;

  /** One worker, so that everybody else is behind the one that something happens to. */
  function make(options: PoolOptions = {}): Pool {
    pool = new Pool({ processes: 1, ...options });
    return pool;
  }

  afterEach(async () => {
    pool.terminate();
    await pool.join();
  });

  /** The others are done, and the pool goes on. */
  async function goesOn(others: readonly Promise<unknown>[] = []): Promise<void> {
    for (const [index, other] of others.entries()) assert.equal(await other, index * index);
    assert.equal(await pool.apply(tasks.square, [7]), 49);
  }

  const submitOthers = (): Promise<unknown>[] => [0, 1, 2].map((x) => pool.apply(tasks.square, [x]));

  it('throws, or rejects', async () => {
    make();
    const failing = pool.apply(tasks.fail, ['on purpose']);
    const others = submitOthers();
    await assert.rejects(failing, { name: 'RangeError', message: 'on purpose' });
    await goesOn(others);
    await assert.rejects(
      pool.apply(async () => {
        await null;
        throw new TypeError('later');
      }),
      { name: 'TypeError', message: 'later' },
    );
  });

  it('has an argument that can not travel', async () => {
    make();
    const failing = pool.apply(tasks.echo, [{ list: [1, () => {}] }]);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof SerializationError);
      assert.equal(error.message, 'args[0].list[1] is a function');
      return true;
    });
    await assert.rejects(pool.map(tasks.echo, [1, () => {}, 3] as unknown[], { chunkSize: 3 }), SerializationError);
    await goesOn(others);
  });

  it('returns what can not travel', async () => {
    make();
    const failing = pool.apply(tasks.returnFunction);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof SerializationError);
      assert.equal(error.message, 'result.deep.callback is a function');
      return true;
    });
    const results = pool.imap(tasks.returnSecondFunction, [1, 2, 3], { chunkSize: 3 });
    assert.equal((await results.next()).value, 1);
    await assert.rejects(results.next(), { name: 'SerializationError', message: 'result is a function' });
    assert.equal((await results.next()).value, 3);
    await goesOn(others);
  });

  it('throws what can not be rebuilt, or can not travel', async () => {
    make();
    await assert.rejects(pool.apply(tasks.failOddly), RemoteError);
    await assert.rejects(
      pool.apply(() => {
        throw Object.assign(new Error('with a function'), { callback: () => {} });
      }),
      (error: Error) => error instanceof RemoteError && /with a function/.test(error.message),
    );
    await assert.rejects(
      pool.apply(() => {
        throw Object.defineProperty(new Error('hostile'), 'message', {
          get: () => {
            throw new Error('from a getter');
          },
        });
      }),
      RemoteError,
    );
    await goesOn();
  });

  it('ends its process', async () => {
    make();
    const failing = pool.apply(tasks.exitWith, [3]);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof WorkerDiedError);
      assert.equal(error.code, 'ERR_MP_WORKER_DIED');
      assert.equal(error.exitCode, 3);
      assert.equal(error.signal, undefined);
      assert(isGone(error.pid));
      return true;
    });
    await goesOn(others);
    await assert.rejects(pool.apply(tasks.exitWith, [0]), { exitCode: 0 });
  });

  it('is killed with its worker', async () => {
    make();
    const failing = pool.apply(tasks.killYourself, ['SIGKILL']);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof WorkerDiedError);
      assert.equal(error.exitCode, -9);
      assert.equal(error.signal, 'SIGKILL');
      assert.match(error.message, /memory/);
      return true;
    });
    await goesOn(others);
  });

  it('is done when its worker is killed idle: nobody notices', async () => {
    make();
    assert.equal(await pool.apply(tasks.square, [2]), 4);
    const [pid] = pool.pids;
    process.kill(pid as number, 'SIGKILL');
    await goesOn(submitOthers());
    assert(!pool.pids.includes(pid as number));
  });

  it('is killed in the middle of a chunk: that call fails, those behind it are done by somebody else', async () => {
    make();
    const results = pool.imap(
      (x: number) => {
        if (x === 3) process.kill(process.pid, 'SIGKILL');
        return x;
      },
      [1, 2, 3, 4, 5],
      { chunkSize: 5 },
    );
    const outcomes: unknown[] = [];
    for (let count = 0; count < 5; count += 1) {
      outcomes.push(
        await results.next().then(
          ({ value }) => value,
          (error: Error) => error.name,
        ),
      );
    }
    // 1 and 2 may have been told before, or not.
    assert.deepEqual(outcomes.slice(2), ['WorkerDiedError', 4, 5]);
    assert.equal((await results.next()).done, true);
    await goesOn();
  });

  it('reaches the limit of the heap', async () => {
    const { NODE_OPTIONS } = process.env;
    process.env['NODE_OPTIONS'] = '--max-old-space-size=64';
    make({ startMethod: 'spawn' });
    try {
      assert.equal(await pool.apply(tasks.square, [1]), 1);
    } finally {
      if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = NODE_OPTIONS;
    }
    const failing = pool.apply(tasks.hoard);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof WorkerDiedError);
      assert.match(error.message, /heap|memory/);
      return true;
    });
    await goesOn(others);
  });

  it('never settles: its worker finds that nothing is pending', async () => {
    make();
    const failing = pool.apply(tasks.neverSettle);
    const others = submitOthers();
    await assert.rejects(failing, (error: Error) => error instanceof WorkerDiedError && error.exitCode === 13);
    await goesOn(others);
  });

  it('has no worker, as the initializer throws', async () => {
    make({ initializer: tasks.failToPrepare });
    const [failing, other] = [pool.apply(tasks.square, [1]), pool.map(tasks.square, [1, 2, 3])];
    await assert.rejects(failing, (error: Error) => {
      assert(error instanceof BrokenPoolError);
      assert.equal((error.cause as Error).message, 'not today');
      return true;
    });
    await assert.rejects(other, BrokenPoolError);
    await assert.rejects(pool.apply(tasks.square, [1]), BrokenPoolError);
    await waitFor('the end of the workers', () => pool.pids.length === 0);
  });

  it('has no worker, as the initializer ends its process', async () => {
    make({ initializer: tasks.exitInsteadOfPreparing });
    await assert.rejects(pool.apply(tasks.square, [1]), (error: Error) => {
      assert(error instanceof BrokenPoolError);
      assert.match(error.message, /ended with 5/);
      return true;
    });
  });

  it('is cut short by terminate()', async () => {
    make();
    const running = pool.apply(tasks.spin);
    const queued = pool.apply(tasks.square, [1]);
    const map = pool.map(tasks.square, [1, 2, 3], { chunkSize: 1 });
    const stream = pool.imap(tasks.square, [1, 2, 3]);
    await waitFor('a worker that runs', () => pool.stats().running === 1);
    const pids = pool.pids;
    pool.terminate();
    await assert.rejects(running, CancelledError);
    await assert.rejects(queued, CancelledError);
    await assert.rejects(map, CancelledError);
    await assert.rejects(stream.next(), CancelledError);
    assert.equal((await stream.next()).done, true);
    await assert.rejects(pool.apply(tasks.square, [1]), InvalidStateError);
    assert.equal(await pool.join(), true);
    assert(pids.every(isGone));
  });

  it('is aborted while it waits for its turn', async () => {
    make();
    const [mine, its] = Pipe<number>();
    const running = pool.apply(tasks.meet, [its]);
    const controller = new AbortController();
    const counter = new Queue<string>();
    const queued = pool.apply((queue: Queue<string>) => queue.putSync('ran'), [counter], controller);
    const others = submitOthers();
    await mine.recv();
    controller.abort(new Error('no more'));
    await assert.rejects(queued, { message: 'no more' });
    await mine.send(1);
    await running;
    await goesOn(others);
    assert.equal(counter.size, 0);
    counter.close();
    mine.close();
    its.close();
  });

  it('is aborted while it runs, and heeds it: its worker stays', async () => {
    make();
    await pool.apply(tasks.square, [1]);
    const before = pool.pids;
    const controller = new AbortController();
    const running = pool.apply(tasks.heed, [], { signal: controller.signal, graceTime: 600_000 });
    const others = submitOthers();
    await waitFor('a worker that runs', () => pool.stats().running === 1);
    controller.abort(new Error('no more'));
    await assert.rejects(running, { message: 'no more' });
    await goesOn(others);
    assert.deepEqual(pool.pids, before);
  });

  it('is aborted in a loop without await, and heeds it', async () => {
    make();
    const controller = new AbortController();
    const running = pool.apply(tasks.heedInLoop, [], { signal: controller.signal, graceTime: 600_000 });
    await waitFor('a worker that runs', () => pool.stats().running === 1);
    const before = pool.pids;
    controller.abort(new Error('no more'));
    await assert.rejects(running, { message: 'no more' });
    await goesOn();
    assert.deepEqual(pool.pids, before);
  });

  it('is aborted while it runs, and does not heed it: its worker is replaced', async () => {
    make();
    const controller = new AbortController();
    const running = pool.apply(tasks.spin, [], { signal: controller.signal, graceTime: 20 });
    const others = submitOthers();
    await waitFor('a worker that runs', () => pool.stats().running === 1);
    const before = pool.pids;
    controller.abort(new Error('no more'));
    await assert.rejects(running, { message: 'no more' });
    await goesOn(others);
    assert.notDeepEqual(pool.pids, before);
  });

  it('is not begun with a signal that was aborted before', async () => {
    make();
    await assert.rejects(pool.apply(tasks.square, [1], { signal: AbortSignal.abort(new Error('before')) }), {
      message: 'before',
    });
    await assert.rejects(pool.map(tasks.square, [1], { signal: AbortSignal.abort(new Error('before')) }), {
      message: 'before',
    });
    assert.deepEqual(pool.pids, []);
  });

  it('is part of a map that is aborted', async () => {
    make();
    const controller = new AbortController();
    const map = pool.map(tasks.heed, [1, 2, 3], {
      signal: controller.signal,
      chunkSize: 2,
      graceTime: 600_000,
    });
    const others = submitOthers();
    await waitFor('a worker that runs', () => pool.stats().running === 1);
    controller.abort(new Error('no more'));
    await assert.rejects(map, { message: 'no more' });
    await goesOn(others);
  });

  it('takes too long, and heeds the signal: its worker stays', async () => {
    make();
    await pool.apply(tasks.square, [1]);
    const before = pool.pids;
    const running = pool.apply(tasks.heed, [], { timeout: 50, graceTime: 600_000 });
    const others = submitOthers();
    await assert.rejects(running, TimeoutError);
    await goesOn(others);
    assert.deepEqual(pool.pids, before);
  });

  it('takes too long, and does not heed the signal: its worker is replaced', async () => {
    make();
    const running = pool.apply(tasks.spin, [], { timeout: 50, graceTime: 20 });
    const others = submitOthers();
    await assert.rejects(running, TimeoutError);
    await goesOn(others);
  });

  it('has waited for long, and takes no time: that is no time-out', async () => {
    make();
    const [mine, its] = Pipe<number>();
    const running = pool.apply(tasks.meet, [its]);
    const waiting = pool.apply(tasks.square, [3], { timeout: 5_000 });
    await mine.recv();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await mine.send(1);
    await running;
    assert.equal(await waiting, 9);
    mine.close();
    its.close();
  });

  it('is one of a chunk that takes too long: the others are done', async () => {
    make();
    const slowly = async (x: number): Promise<number> => {
      if (x === 2) await tasks.heed();
      if (x === 4) tasks.spin();
      return x;
    };
    const results = pool.imap(slowly, [1, 2, 3, 4, 5], { chunkSize: 5, timeout: 2_000, graceTime: 100 });
    const outcomes: unknown[] = [];
    for (let count = 0; count < 5; count += 1) {
      outcomes.push(
        await results.next().then(
          ({ value }) => value,
          (error: Error) => error.name,
        ),
      );
    }
    assert.deepEqual(outcomes, [1, 'TimeoutError', 3, 'TimeoutError', 5]);
    await goesOn();
  });

  it('sees its signal only while it runs', async () => {
    make();
    assert.equal(taskSignal(), undefined);
    assert.equal(await pool.apply(() => taskSignal()?.aborted), false);
  });

  it('fails, and the rest of the map is run all the same', async () => {
    make();
    const ran = new Queue<number>();
    await assert.rejects(
      pool.map(
        (x: number) => {
          ran.putSync(x);
          if (x === 2 || x === 4) throw new RangeError(`at ${x}`);
          return x;
        },
        [1, 2, 3, 4, 5],
        { chunkSize: 2 },
      ),
      { message: 'at 2' },
    );
    assert.equal(ran.size, 5);
    ran.close();
    await goesOn();
  });

  it('runs while the template is killed, whose workers go with it: the pool makes another one', async () => {
    make({ processes: 2 });
    const begun = new Queue<number>();
    const endless = (): Promise<never> => {
      begun.putSync(process.pid);
      return new Promise(() => setInterval(() => {}, 1000));
    };
    const tasksLost = [pool.apply(endless), pool.apply(endless)];
    const lost = Promise.all(tasksLost.map((task) => assert.rejects(task, WorkerDiedError)));
    const workers = [await begun.get(), await begun.get()];
    const [template] = workers.map((pid) => Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]));
    assert.notEqual(template, process.pid);
    process.kill(template as number, 'SIGKILL');
    await lost;
    for (const pid of workers) await waitFor('a worker to go with its template', () => isGone(pid));
    assert.equal(await pool.apply(() => 5), 5);
    begun.close();
    await goesOn();
  });
});
