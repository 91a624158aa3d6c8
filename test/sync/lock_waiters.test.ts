import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { Lock } from 'posix-multiprocessing';
import { nanosleep } from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { isFree, turns, withLock } from './locks.js';

describe('those who await a Lock in one process', () => {
  it('get it in their order, each when the one before releases', async () => {
    await withLock(async (lock) => {
      const order: number[] = [];
      lock.acquireSync();
      const all = Array.from({ length: 20 }, (_, index) => lock.use(() => void order.push(index)));
      await turns();
      assert.deepEqual(order, []);
      lock.release();
      await Promise.all(all);
      assert.deepEqual(order, [...Array(20).keys()]);
      assert.ok(isFree(lock));
    });
  });

  it('may be the holder itself: release() lets the second acquire in', async () => {
    await withLock(async (lock) => {
      await lock.acquire();
      const second = lock.acquire();
      setImmediate(() => lock.release());
      assert.equal(await second, true);
      assert.equal(lock.owner, process.pid);
      lock.release();
    });
  });

  it('leave by abort with its reason, and the lock is neither lost nor taken', async () => {
    await withLock(async (lock) => {
      const reason = new Error('no more');
      await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason);
      assert.ok(isFree(lock));
      for (let round = 0; round < 50; round += 1) {
        lock.acquireSync();
        const controllers = [new AbortController(), new AbortController(), new AbortController()] as const;
        const waits = controllers.map(({ signal }) => lock.acquire({ signal }));
        const [first, second, third] = waits.map((wait) => wait.then(String, (error: Error) => error.message));
        controllers[1].abort(reason);
        assert.equal(await second, 'no more');
        lock.release();
        // Now the first may have got it, unseen so far.
        controllers[0].abort(reason);
        assert.equal(await first, 'no more');
        assert.equal(await third, 'true');
        assert.equal(lock.tryAcquire(), false);
        lock.release();
        assert.ok(isFree(lock));
      }
    });
  });

  it('leave nothing behind when the last of them is aborted', async () => {
    await withLock(async (lock) => {
      for (let round = 0; round < 20; round += 1) {
        lock.acquireSync();
        const controller = new AbortController();
        const wait = lock.acquire({ signal: controller.signal });
        const aborted = assert.rejects(wait, { name: 'AbortError' });
        if (round % 2 === 0) {
          controller.abort();
          lock.release();
          nanosleep(2); // whoever still wants it has the time to take it
        } else {
          lock.release();
          while (!lock.locked); // taken for the one who waits, who does not know yet
          controller.abort();
        }
        assert.ok(isFree(lock), `round ${round}`);
        await aborted;
      }
    });
  });

  it('time out one by one, and the others stay', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      const waits = [30, 10, undefined, 20].map((timeout) => lock.acquire({ timeout }));
      const [first, second, third, fourth] = waits as [Promise<boolean>, ...Promise<boolean>[]];
      assert.deepEqual(await Promise.all([first, second, fourth]), [false, false, false]);
      lock.release();
      assert.equal(await third, true);
      lock.release();
    });
  });

  it('are overtaken by acquireSync, for they can not run while it blocks', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      const order: string[] = [];
      const waiting = lock.use(() => void order.push('awaited'));
      await turns();
      lock.release();
      while (!lock.locked); // taken for the one above, who could not release it
      assert.equal(lock.acquireSync({ timeout: 10_000 }), true);
      order.push('sync');
      await turns();
      lock.release();
      await waiting;
      assert.deepEqual(order, ['sync', 'awaited']);
    });
  });

  it('are rejected when the Lock is closed', async () => {
    const lock = new Lock();
    lock.acquireSync();
    const waits = [lock.acquire(), lock.use(() => assert.fail('the body ran'))];
    await turns();
    lock.close();
    for (const wait of waits) await assert.rejects(wait, { name: 'ClosedError', code: 'ERR_MP_CLOSED' });
  });

  it('need one thread for every 127 locks, and none when nobody waits', async () => {
    const locks = Array.from({ length: 254 }, () => new Lock());
    // By their numbers: a thread of the test before may still be ending.
    const before = new Set(readdirSync('/proc/self/task'));
    const isHelper = (thread: string): boolean => {
      try {
        return readFileSync(`/proc/self/task/${thread}/comm`, 'latin1') === 'mp-helper\n';
      } catch {
        return false;
      }
    };
    const started = (): number =>
      readdirSync('/proc/self/task').filter((thread) => !before.has(thread) && isHelper(thread)).length;
    for (const lock of locks) lock.acquireSync();
    const waits = Array.from({ length: 508 }, (_, index) => locks[index % 254]?.use(() => {}));
    const threads = started();
    for (const lock of locks) lock.release();
    await Promise.all(waits);
    await waitFor('the threads to end', () => started() === 0);
    for (const lock of locks) lock.close();
    assert.ok(threads <= 2, `${threads} threads`);
  });

  it('keep the process alive, and an idle Lock does not', async () => {
    const script = `
      import { Lock } from 'posix-multiprocessing';
import { nanosleep } from 'posix-multiprocessing/posix';
      const lock = new Lock();
      await lock.acquire();
      lock.acquire({ timeout: 100 }).then((got) => console.log('waited', got));`;
    const { code, stdout, timedOut, facts } = await runScript(script);
    assert.deepEqual([code, stdout, timedOut], [0, 'waited false\n', false], facts);
  });
});
