import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Lock, type LockOptions, OwnerDiedError, Process } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { waitFor } from '../support/watchdog.js';
import { end, isFree, withLock, withWords } from './locks.js';

/** A process that has taken the lock by `acquire` and keeps it. */
async function holder(lock: Lock, acquire: () => unknown = () => lock.acquireSync()): Promise<Process> {
  const child = await new Process({
    target: async () => {
      await acquire();
      setInterval(() => {}, 1000);
      await new Promise(() => {});
    },
  }).start();
  await waitFor('the child to hold the lock', () => lock.owner === child.pid);
  return child;
}

/** The lock, held by a process that is dead, whose pid it gives. */
async function withOrphan(body: (lock: Lock, dead: number) => Promise<void>, options?: LockOptions): Promise<void> {
  await withLock(async (lock) => {
    const child = await holder(lock);
    const dead = child.pid as number;
    await end(child);
    await body(lock, dead);
  }, options);
}

describe('the death of a holder', () => {
  it('is told once to who acquires next, who then holds the lock', async () => {
    for (const acquire of ['acquire', 'acquireSync', 'tryAcquire'] as const) {
      await withOrphan(async (lock, dead) => {
        await assert.rejects(async () => lock[acquire](), {
          name: 'OwnerDiedError',
          code: 'ERR_MP_OWNER_DIED',
          pid: dead,
        });
        assert.equal(lock.owner, process.pid);
        assert.equal(lock.tryAcquire(), false);
        lock.release();
        assert.equal(await lock[acquire](), true);
      });
    }
  });

  it('is told to who waits already, blocked or awaiting', async () => {
    await withLock(async (lock) => {
      const first = await holder(lock);
      const wait = lock.acquire();
      const pid = first.pid as number;
      await end(first);
      await assert.rejects(wait, { code: 'ERR_MP_OWNER_DIED', pid });
      lock.release();

      const second = await holder(lock);
      second.kill();
      assert.throws(() => lock.acquireSync(), OwnerDiedError);
      lock.release();
      await end(second);
    });
  });

  it('keeps use() from running its body, and the lock is free afterwards', async () => {
    const body = (): void => assert.fail('the body ran');
    await withOrphan(async (lock) => {
      await assert.rejects(lock.use(body), OwnerDiedError);
      assert.ok(isFree(lock));
    });
    await withOrphan(async (lock) => {
      assert.throws(() => lock.useSync(body), OwnerDiedError);
      assert.ok(isFree(lock));
    });
  });

  it("goes unnoticed with onOwnerDied 'recover'", async () => {
    const options = { onOwnerDied: 'recover' } as const;
    await withOrphan(async (lock) => {
      assert.equal(lock.tryAcquire(), true);
      lock.release();
    }, options);
    await withOrphan(async (lock) => assert.equal(await lock.use(() => 5), 5), options);
  });

  it('is any end without release, and how it got the lock does not matter', async () => {
    await withLock(async (lock) => {
      for (const acquire of [() => lock.acquire(), () => lock.tryAcquire()]) {
        await inChild(async () => void (await acquire()));
        assert.throws(() => lock.tryAcquire(), OwnerDiedError);
        lock.release();
      }
      lock.acquireSync();
      const child = await new Process({ target: async () => void (await lock.acquire()) }).start();
      lock.release();
      await child.join();
      child.close();
      assert.throws(() => lock.acquireSync(), OwnerDiedError);
    });
  });

  it('gives the lock to exactly one of those who wait, and the others in turn', async () => {
    await withLock(async (lock) => {
      await withWords(async (words) => {
        const target = async (awaiting: boolean): Promise<void> => {
          Atomics.add(words, 0, 1);
          try {
            if (awaiting) await lock.acquire();
            else lock.acquireSync();
          } catch (error) {
            assert.ok(error instanceof OwnerDiedError);
            Atomics.add(words, 1, 1);
          }
          lock.release();
        };
        const dying = await holder(lock);
        const waiters = [true, false, true, false].map((awaiting) => new Process({ target, args: [awaiting] }));
        for (const waiter of waiters) await waiter.start();
        await waitFor('all to wait', () => words[0] === 4);
        await end(dying);
        for (const waiter of waiters) {
          await waiter.join();
          assert.equal(waiter.exitCode, 0);
          waiter.close();
        }
        assert.equal(words[1], 1);
        assert.ok(isFree(lock));
      });
    });
  });

  it('never lets two in and never stops the others, whenever it comes', async () => {
    const lock = new Lock({ onOwnerDied: 'recover' });
    await withWords(async (words) => {
      const [INSIDE, BROKEN, PASSES] = [0, 1, 2] as const;
      const pass = (): void => {
        words[INSIDE] = process.pid;
        for (let look = 0; look < 100; look += 1) if (words[INSIDE] !== process.pid) Atomics.add(words, BROKEN, 1);
        Atomics.add(words, PASSES, 1);
      };
      const blocking = (): never => {
        for (;;) lock.useSync(pass);
      };
      const awaiting = async (): Promise<never> => {
        for (;;) await lock.use(pass);
      };
      const start = (index: number): Promise<Process> =>
        new Process({ target: index % 2 === 0 ? blocking : awaiting }).start();
      const children = await Promise.all([0, 1, 2, 3].map(start));
      for (let kills = 0; kills < 60; kills += 1) {
        const before = words[PASSES] as number;
        await waitFor('some passes', () => (words[PASSES] as number) - before > 10);
        const victim = kills % 4;
        await end(children[victim] as Process);
        children[victim] = await start(victim);
      }
      const before = words[PASSES] as number;
      await waitFor('the last passes', () => (words[PASSES] as number) - before > 100);
      for (const child of children) await end(child);
      assert.equal(words[BROKEN], 0);
      assert.ok(isFree(lock));
      lock.close();
    });
  });
});
