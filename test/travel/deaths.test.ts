/** A process of any start method dies with an object that it was given: the others notice. */

import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import {
  Barrier,
  Condition,
  getAllStartMethods,
  Lock,
  RLock,
  Semaphore,
  type StartMethod,
  Value,
} from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { turns } from '../sync/locks.js';
import { type Player, player } from './stage.js';

for (const startMethod of getAllStartMethods()) suite(startMethod);

function suite(startMethod: StartMethod): void {
  describe(`the death of a process of '${startMethod}' with objects that it was given`, () => {
    after(stopForkServer);

    it('is told to who waits for its locks, and to who comes later', async () => {
      using lock = new Lock();
      using rlock = new RLock();
      using recovering = new Lock({ onOwnerDied: 'recover' });
      using value = new Value('i32');
      using condition = new Condition();
      const locks = { lock, rlock, recovering, guard: value.lock as Lock, condition };
      // As arguments and in a message.
      const dying = await player(startMethod, { lock, rlock });
      await dying.do('keep', { recovering, guard: value.lock, condition });
      for (const name of Object.keys(locks)) assert.equal(await dying.do('call', name, 'tryAcquire'), true);
      const waits = lock.acquire();
      const pid = dying.pid;
      await dying.kill();
      await assert.rejects(waits, { code: 'ERR_MP_OWNER_DIED', pid });
      assert.throws(() => rlock.acquireSync(), { code: 'ERR_MP_OWNER_DIED', pid });
      assert.equal(await recovering.acquire(), true);
      await assert.rejects(
        value.use(() => assert.fail('the body ran')),
        { code: 'ERR_MP_OWNER_DIED', pid },
      );
      assert.throws(() => condition.tryAcquire(), { code: 'ERR_MP_OWNER_DIED', pid });
      for (const held of [lock, rlock, recovering, condition]) held.release();
    });

    it('is told to a process that has the lock by a message too', async () => {
      using lock = new Lock();
      await using other: Player = await player(startMethod, { lock });
      const dying = await player(startMethod);
      await dying.do('keep', { lock });
      await dying.do('call', 'lock', 'acquire');
      const { outcome } = await other.begin('callSync', 'lock', 'acquireSync');
      await dying.kill();
      await assert.rejects(outcome, { code: 'ERR_MP_OWNER_DIED' });
      assert.equal(lock.owner, other.pid);
    });

    it('gives units back, breaks barriers, and takes no notification along', async () => {
      using semaphore = new Semaphore(2, { restore: true });
      using barrier = new Barrier(2);
      using condition = new Condition();
      const dying = await player(startMethod);
      await dying.do('keep', { semaphore, barrier, condition });
      for (let unit = 0; unit < 2; unit += 1) await dying.do('call', 'semaphore', 'acquire');
      assert.equal(semaphore.value, 0);
      await dying.begin('call', 'barrier', 'wait');
      await dying.begin('wait', 'condition');
      await condition.use(() => {}); // now it waits
      const units = [semaphore.acquire(), semaphore.acquire()];
      const notified = condition.use(() => condition.wait());
      await turns();
      await dying.kill();
      assert.deepEqual(await Promise.all(units), [true, true]);
      await condition.use(() => condition.notify());
      assert.equal(await notified, true);
      await assert.rejects(barrier.wait(), { code: 'ERR_MP_BROKEN_BARRIER' });
      semaphore.release(2);
    });
  });
}
