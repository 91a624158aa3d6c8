import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'mocha';
import { Queue } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';

const empty = { code: 'ERR_MP_QUEUE_EMPTY' };

describe('Queue waiting', () => {
  it('get times out with ERR_MP_QUEUE_EMPTY, not before its time', async () => {
    using queue = new Queue();
    for (const timeout of [0, -1, 30]) {
      const started = performance.now();
      await assert.rejects(queue.get({ timeout }), empty);
      assert.throws(() => queue.getSync({ timeout }), empty);
      assert.ok(performance.now() - started >= 2 * timeout - 2);
    }
  });

  it('an aborted get takes nothing, an aborted put puts nothing', async () => {
    using queue = new Queue<number>(1);
    const reason = new Error('enough');
    await assert.rejects(queue.get({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const get = queue.get({ signal: controller.signal });
    const next = queue.get();
    controller.abort(reason);
    await assert.rejects(get, reason);
    await queue.put(1);
    assert.equal(await next, 1);
    queue.putNowait(2);
    const other = new AbortController();
    const put = queue.put(3, { signal: other.signal });
    const after = queue.put(4);
    other.abort(reason);
    await assert.rejects(put, reason);
    await assert.rejects(queue.put(5, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(await queue.get(), 2);
    assert.equal(await queue.get(), 4);
    await after;
    assert.equal(queue.isEmpty(), true);
  });

  it('a wait that is over leaves no timer and no listener behind', async () => {
    using queue = new Queue<number>(1);
    const { signal } = new AbortController();
    await new Promise(setImmediate); // mocha sets its own when the test waits
    const timers = new Set<number>();
    let isOver = false;
    const hook = createHook({
      init: (id, type) => {
        if (type === 'Timeout' && !isOver) timers.add(id);
      },
      destroy: (id) => timers.delete(id),
    }).enable();
    for (let i = 0; i < 5; i += 1) {
      const get = queue.get({ timeout: 1e9, signal });
      await queue.put(i);
      assert.equal(await get, i);
    }
    await assert.rejects(queue.get({ timeout: 1, signal }), empty);
    assert.ok(timers.size > 0);
    isOver = true;
    await waitFor('no timer is left', () => timers.size === 0);
    hook.disable();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('a process whose waits are over ends by itself; one that waits does not', async () => {
    const prologue =
      "import { Pipe, Queue } from 'posix-multiprocessing'; const queue = new Queue(); const [end] = Pipe();";
    const over = await runScript(`${prologue}
      const controller = new AbortController();
      const waits = [queue.get({ timeout: 1 }), end.recv({ timeout: 1 }), queue.get({ signal: controller.signal })];
      controller.abort();
      console.log((await Promise.allSettled(waits)).map(({ status }) => status).join());
      console.log(await Promise.race([queue.get({ timeout: 1e9 }), queue.put('put')]));
    `);
    assert.deepEqual([over.code, over.stdout], [0, 'rejected,rejected,rejected\nundefined\n'], over.facts);
    const waiting = await runScript(
      `${prologue} setTimeout(() => queue.put('late'), 50).unref(); console.log(await queue.get());`,
    );
    assert.deepEqual([waiting.code, waiting.stdout], [0, 'late\n'], waiting.facts);
  });

  it('those who wait are served in their order', async () => {
    using queue = new Queue<number>(1);
    const gets = Array.from({ length: 50 }, () => queue.get());
    const puts = Array.from({ length: 50 }, (_, i) => queue.put(i));
    assert.deepEqual(
      await Promise.all(gets),
      Array.from({ length: 50 }, (_, i) => i),
    );
    await Promise.all(puts);
    const full = Array.from({ length: 20 }, (_, i) => queue.put(i));
    for (let i = 0; i < 20; i += 1) assert.equal(await queue.get(), i);
    await Promise.all(full);
  });

  it('a blocking get comes after those who wait already', async () => {
    using queue = new Queue<number>();
    const waiting = queue.get();
    queue.putNowait(1);
    queue.putNowait(2);
    assert.equal(queue.getSync(), 2);
    assert.equal(await waiting, 1);
  });

  it('an endless supply of values leaves the event loop its turns', async () => {
    using queue = new Queue<number>();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    queue.putNowait(0);
    for await (const value of queue) {
      if (turns === 3) break; // or never
      await queue.put(value + 1);
    }
    clearInterval(timer);
  });

  it('tries in a row leave the event loop its turns', async () => {
    using queue = new Queue<number>();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    while (turns < 3) await queue.get({ timeout: 0 }).catch(() => {});
    clearInterval(timer);
  });

  it('waiting takes no processor time', async () => {
    // In a process that has nothing else to do, as collecting garbage.
    const { code, stdout, facts } = await runScript(
      `import { Queue } from 'posix-multiprocessing';
      const queue = new Queue();
      const waits = Array.from({ length: 10 }, () => queue.get({ timeout: 500 }).catch(() => {}));
      const before = process.cpuUsage();
      for (const wait of waits) await wait;
      const { user, system } = process.cpuUsage(before);
      console.log(user + system);`,
    );
    assert.equal(code, 0, facts);
    assert.ok(Number(stdout) < 250_000, `${stdout} µs in 500 ms`);
  });
});

describe('the event loop', () => {
  it('has many turns while 100,000 values are put, and while they are iterated', async () => {
    using queue = new Queue<number>();
    let turns = 0;
    const count = setInterval(() => (turns += 1), 0);
    for (let i = 0; i < 100_000; i += 1) await queue.put(i);
    const afterPuts = turns;
    assert.ok(afterPuts >= 2, `${afterPuts}`);
    queue.end();
    let expected = 0;
    for await (const value of queue) assert.equal(value, expected++);
    assert.equal(expected, 100_000);
    clearInterval(count);
    assert.ok(turns >= afterPuts + 2, `${turns - afterPuts}`);
  });
});
