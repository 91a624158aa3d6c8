import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { OwnerDiedError, Process, RLock } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { waitFor } from '../support/watchdog.js';
import { end, freshName, turns } from './locks.js';

const notOwner = { name: 'NotOwnerError', code: 'ERR_MP_NOT_OWNER' };

describe('RLock', () => {
  it('is acquired again by its owner, in any form, and released as often', async () => {
    using lock = new RLock();
    assert.equal(lock.depth, 0);
    await lock.acquire();
    assert.equal(lock.acquireSync(), true);
    assert.equal(lock.tryAcquire(), true);
    assert.equal(await lock.acquire({ timeout: 0 }), true);
    assert.equal(lock.depth, 4);
    assert.equal(lock.owner, process.pid);
    for (const depth of [3, 2, 1, 0]) {
      lock.release();
      assert.equal(lock.depth, depth);
    }
    assert.equal(lock.locked, false);
    assert.throws(() => lock.release(), notOwner);
  });

  it('follows a chain of calls through awaits, timers and callbacks', async () => {
    using lock = new RLock();
    const inner = async (): Promise<number> => lock.use(() => lock.depth);
    const depths = await lock.use(async () => {
      const first = await inner();
      await delay(1);
      const second = await inner();
      const third = await new Promise<number>((resolve, reject) => {
        setImmediate(() => void inner().then(resolve, reject));
      });
      return [first, second, third, lock.useSync(() => lock.depth)];
    });
    assert.deepEqual(depths, [2, 2, 2, 2]);
    assert.equal(lock.depth, 0);
  });

  for (const [form, task] of [
    [
      'acquire and release',
      async (lock: RLock, body: () => Promise<void>): Promise<void> => {
        await lock.acquire();
        try {
          await lock.acquire();
          await body();
          lock.release();
        } finally {
          lock.release();
        }
      },
    ],
    ['use', (lock: RLock, body: () => Promise<void>): Promise<void> => lock.use(() => lock.use(body))],
  ] as const) {
    it(`keeps the tasks of one process apart: ${form}`, async () => {
      using lock = new RLock();
      let inside = 0;
      const body = async (): Promise<void> => {
        inside += 1;
        await turns();
        assert.equal(inside, 1);
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 10 }, () => task(lock, body)));
      assert.equal(lock.locked, false);
    });
  }

  it('keeps a task that uses it from its caller, who goes on', async () => {
    using lock = new RLock();
    let leave = (): void => {};
    const inside = lock.use(() => new Promise<void>((resolve) => (leave = resolve)));
    await turns();
    assert.equal(lock.depth, 0);
    assert.equal(lock.tryAcquire(), false);
    assert.throws(() => lock.release(), notOwner);
    leave();
    await inside;
    assert.equal(lock.tryAcquire(), true);
    lock.release();
  });

  it('is released by no other process and no other task', async () => {
    using lock = new RLock();
    await lock.use(async () => {
      assert.deepEqual(
        await inChild(() => {
          const seen = [lock.depth, lock.tryAcquire()];
          try {
            lock.release();
            return 'released';
          } catch (error) {
            return [...seen, (error as NodeJS.ErrnoException).code];
          }
        }),
        [0, false, 'ERR_MP_NOT_OWNER'],
      );
    });
  });

  it('starts at depth 1 in a child that acquires it', async () => {
    using lock = new RLock();
    lock.acquireSync();
    lock.acquireSync();
    const child = await new Process({
      target: async () => {
        await lock.acquire();
        process.exitCode = lock.depth;
        lock.release();
      },
    }).start();
    lock.release();
    lock.release();
    await child.join();
    assert.equal(child.exitCode, 1);
    child.close();
  });

  it('tells of the death of its owner, at whatever depth, and is then held once', async () => {
    using lock = new RLock();
    const child = await new Process({
      target: async () => {
        await lock.acquire();
        await lock.acquire();
        await delay(100_000);
      },
    }).start();
    await waitFor('the child to hold it', () => lock.owner === child.pid);
    const wait = lock.acquire();
    await end(child);
    await assert.rejects(wait, OwnerDiedError);
    assert.equal(lock.depth, 1);
    lock.release();
    assert.equal(lock.locked, false);
  });

  it('does not keep the links of a chain that goes on for ever', async () => {
    using lock = new RLock();
    const used = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < 20_000; round += 1) {
        await lock.acquire();
        lock.release();
      }
    };
    await rounds();
    const before = used();
    await rounds();
    assert.ok(used() - before < 1_000_000);
  });

  it('has names, states and ends as a Lock does', () => {
    const name = freshName();
    const lock = new RLock({ name });
    assert.equal(inspect(lock), `RLock '${name}' <free>`);
    lock.acquireSync();
    assert.equal(inspect(lock), `RLock '${name}' <held by ${process.pid}>`);
    lock.release();
    lock.unlink();
    lock.close();
    assert.throws(() => lock.release(), { code: 'ERR_MP_CLOSED' });
    assert.throws(() => lock.acquireSync(), { code: 'ERR_MP_CLOSED' });
    assert.throws(() => new RLock({ name: '' }), { code: 'ERR_INVALID_ARG_VALUE' });
  });
});
