/** Every shared object between this process and one of each start method, to which the objects come in messages. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  getAllStartMethods,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMemory,
  SimpleQueue,
  type StartMethod,
  Value,
} from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { waitFor } from '../support/watchdog.js';
import { freshName, turns } from '../sync/locks.js';
import { leaveWord, type Player, player, step, wordsLeft } from './stage.js';

for (const startMethod of getAllStartMethods()) suite(startMethod);

function suite(startMethod: StartMethod): void {
  describe(`objects shared with a process of '${startMethod}'`, () => {
    let other: Player;
    before(async () => {
      other = await player(startMethod);
    });
    after(async () => {
      await other.kill();
      await stopForkServer();
    });

    for (const type of [Lock, RLock] as const) {
      describe(type.name, () => {
        it('is held by one of them at a time', async () => {
          using lock = new type();
          await other.do('keep', { lock });
          assert.equal(await other.do('callSync', 'lock', 'tryAcquire'), true);
          assert.deepEqual([lock.tryAcquire(), lock.locked, lock.owner], [false, true, other.pid]);
          const waits = lock.acquire();
          await other.do('call', 'lock', 'release');
          assert.equal(await waits, true);
          assert.deepEqual(await other.do('get', 'lock', 'owner'), process.pid);
          for (const [deed, acquire] of [
            ['call', 'acquire'],
            ['callSync', 'acquireSync'],
          ] as const) {
            const { outcome } = await other.begin(deed, 'lock', acquire);
            lock.release();
            assert.equal(await outcome, true);
            assert.equal(lock.acquireSync({ timeout: 2 }), false);
            await other.do('call', 'lock', 'release');
            assert.equal(lock.acquireSync(), true);
          }
          lock.release();
        });

        it('lets one in at a time, whoever blocks and whoever awaits', async () => {
          using lock = new type();
          using words = new SharedArray('i32', 2, { lock: false });
          await other.do('keep', { lock, words });
          const theirs = [other.do('steps', 'lock', 'words', 300), other.do('steps', 'lock', 'words', 300)];
          for (let round = 0; round < 300; round += 1) await lock.use(() => step(words.array));
          await Promise.all(theirs);
          const blocking = other.do('stepsSync', 'lock', 'words', 300);
          for (let round = 0; round < 300; round += 1) lock.useSync(() => step(words.array));
          await blocking;
          assert.deepEqual([...words.array], [1500, 1500]);
        });
      });
    }

    it('a Lock may be released by the other one, an RLock may not', async () => {
      using lock = new Lock();
      using rlock = new RLock();
      await other.do('keep', { lock, rlock });
      lock.acquireSync();
      await other.do('call', 'lock', 'release');
      assert.equal(lock.locked, false);
      await assert.rejects(other.do('call', 'lock', 'release'), { code: 'ERR_MP_OVER_RELEASE' });
      rlock.acquireSync();
      await assert.rejects(other.do('call', 'rlock', 'release'), { code: 'ERR_MP_NOT_OWNER' });
      rlock.release();
    });

    it('an RLock that came twice is one lock: who holds it re-enters by either', async () => {
      using rlock = new RLock();
      await other.do('keep', { one: rlock, same: rlock });
      await other.do('keep', { again: rlock });
      assert.equal(await other.do('areSame', 'one', 'same'), true);
      assert.equal(await other.do('areSame', 'one', 'again'), false);
      assert.equal(await other.do('nest', 'one', 'again'), 2);
      assert.equal(rlock.locked, false);
    });

    for (const restore of [false, true]) {
      it(`a Semaphore counts for both${restore ? ', with restore' : ''}`, async () => {
        using semaphore = new Semaphore(2, { restore });
        await other.do('keep', { semaphore });
        semaphore.acquireSync();
        assert.equal(await other.do('call', 'semaphore', 'tryAcquire'), true);
        assert.equal(semaphore.value, 0);
        const waits = semaphore.acquire();
        await other.do('call', 'semaphore', 'release');
        assert.equal(await waits, true);
        const { outcome } = await other.begin('callSync', 'semaphore', 'acquireSync');
        semaphore.release(2);
        assert.equal(await outcome, true);
        assert.equal(await other.do('get', 'semaphore', 'value'), 1);
      });
    }

    it('a BoundedSemaphore has its bound in both', async () => {
      using semaphore = new BoundedSemaphore(2);
      await other.do('keep', { semaphore });
      await assert.rejects(other.do('call', 'semaphore', 'release'), { code: 'ERR_MP_OVER_RELEASE' });
      await other.do('call', 'semaphore', 'tryAcquire');
      semaphore.release();
      assert.throws(() => semaphore.release(), { code: 'ERR_MP_OVER_RELEASE' });
    });

    it('named ones travel by their names', async () => {
      using lock = new Lock({ name: freshName() });
      using semaphore = new Semaphore(3, { name: freshName(), restore: true });
      using event = new Event({ name: freshName() });
      await other.do('keep', { lock, semaphore, event });
      assert.equal(await other.do('call', 'lock', 'tryAcquire'), true);
      assert.equal(lock.owner, other.pid);
      await other.do('call', 'lock', 'release');
      assert.equal(await other.do('call', 'semaphore', 'tryAcquire'), true);
      assert.equal(semaphore.value, 2);
      await other.do('call', 'event', 'set');
      assert.equal(event.isSet(), true);
      for (const named of [lock, semaphore, event]) named.unlink();
    });

    it('an Event wakes who waits, wherever', async () => {
      using event = new Event();
      await other.do('keep', { event });
      const waits = [event.wait(), event.wait()];
      await other.do('call', 'event', 'set');
      assert.deepEqual(await Promise.all(waits), [true, true]);
      event.clear();
      assert.equal(await other.do('call', 'event', 'isSet'), false);
      for (const [deed, wait] of [
        ['call', 'wait'],
        ['callSync', 'waitSync'],
      ] as const) {
        const { outcome } = await other.begin(deed, 'event', wait);
        event.set();
        assert.equal(await outcome, true);
        event.clear();
      }
    });

    for (const lock of [Lock, RLock, undefined]) {
      it(`a Condition${lock === undefined ? '' : ` around a ${lock.name}`} wakes as many as notify() says`, async () => {
        const guard = lock === undefined ? undefined : new lock();
        using condition = new Condition(guard);
        await other.do('keep', { condition, guard });
        let woken = 0;
        const count = (): number => (woken += 1);
        const theirs = await other.begin('wait', 'condition');
        // Whoever has begun holds the lock until it waits.
        await condition.use(() => {});
        const waits = [theirs.outcome.then(count), condition.use(() => condition.wait()).then(count)];
        await turns();
        await condition.use(() => condition.notify());
        await Promise.race(waits);
        await turns();
        assert.equal(woken, 1);
        await other.do('notify', 'condition', 5);
        await Promise.all(waits);
        let isOver = false;
        const blocked = other.do('waitSync', 'condition').finally(() => (isOver = true));
        await waitFor('who blocks to be woken', async () => {
          await condition.use(() => condition.notifyAll());
          return isOver;
        });
        assert.equal(await blocked, true);
        guard?.close();
      });
    }

    it('a Barrier lets its parties go together, and breaks for all', async () => {
      using barrier = new Barrier(3, { timeout: 20_000 });
      await other.do('keep', { barrier });
      for (let phase = 0; phase < 3; phase += 1) {
        const indexes = await Promise.all([
          barrier.wait(),
          other.do('call', 'barrier', 'wait'),
          other.do('callSync', 'barrier', 'waitSync'),
        ]);
        assert.deepEqual(
          (indexes as number[]).sort((a, b) => a - b),
          [0, 1, 2],
        );
      }
      const { outcome } = await other.begin('call', 'barrier', 'wait');
      barrier.abort();
      await assert.rejects(outcome, { code: 'ERR_MP_BROKEN_BARRIER' });
      assert.equal(await other.do('get', 'barrier', 'broken'), true);
      await other.do('call', 'barrier', 'reset');
      assert.deepEqual([barrier.broken, await other.do('get', 'barrier', 'parties')], [false, 3]);
    });

    it("a Barrier's action is called where its last party came from", async () => {
      using barrier = new Barrier(2, { action: leaveWord });
      await other.do('keep', { barrier });
      const first = barrier.wait();
      await other.do('callSync', 'barrier', 'waitSync');
      await first;
      assert.deepEqual([wordsLeft(), await other.do('wordsLeft')], [0, 1]);
    });

    it('a Queue brings to either what the other puts', async () => {
      using there = new Queue<number>(2);
      using back = new JoinableQueue<number>();
      using simple = new SimpleQueue<string>();
      await other.do('keep', { there, back, simple });
      await other.do('callSync', 'there', 'putSync', 1);
      there.putNowait(2);
      assert.deepEqual([there.isFull(), await other.do('call', 'there', 'isFull')], [true, true]);
      const { outcome } = await other.begin('call', 'there', 'put', 3);
      assert.deepEqual([await there.get(), await other.do('call', 'there', 'get')], [1, 2]);
      await outcome;
      back.putNowait(4);
      assert.equal(await other.do('call', 'back', 'get'), 4);
      const joined = back.join();
      await other.do('call', 'back', 'taskDone');
      assert.equal(await joined, true);
      simple.putSync('simple');
      assert.equal(await other.do('call', 'simple', 'get'), 'simple');
      there.end();
      assert.equal(await other.do('call', 'there', 'get'), 3);
      await assert.rejects(other.do('call', 'there', 'get'), { code: 'ERR_MP_EOF' });
    });

    it('a Connection is a second end', async () => {
      const [here, there] = Pipe();
      await other.do('keep', { there });
      there.close();
      await here.send('hello');
      assert.equal(await other.do('call', 'there', 'recv'), 'hello');
      await other.do('call', 'there', 'send', 'and back');
      assert.equal(await here.recv(), 'and back');
      await other.do('call', 'there', 'close');
      await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
      here.close();
    });

    it('a Value and a SharedArray are the same memory, with the same lock', async () => {
      using value = new Value('i32', 5);
      using guard = new Lock();
      using array = new SharedArray('i32', [1, 2, 3], { lock: guard });
      await other.do('keep', { value, array, guard, lock: value.lock });
      assert.equal(await other.do('call', 'value', 'add', 2), 5);
      assert.equal(value.value, 7);
      await other.do('element', 'array', 2, 40);
      array.array[0] = 10;
      assert.deepEqual([await other.do('element', 'array', 0), array.array[2]], [10, 40]);
      assert.deepEqual(
        [await other.do('isLockOf', 'lock', 'value'), await other.do('isLockOf', 'guard', 'array')],
        [true, true],
      );
      assert.equal(await other.do('call', 'guard', 'tryAcquire'), true);
      assert.equal(array.lock?.owner, other.pid);
      // A lock of one's own outlives the array, that of the Value does not.
      for (const name of ['array', 'value']) await other.do('call', name, 'close');
      await other.do('call', 'guard', 'release');
      await assert.rejects(other.do('call', 'lock', 'tryAcquire'), { code: 'ERR_MP_CLOSED' });
      assert.deepEqual([value.value, array.array[2], value.lock?.locked], [7, 40, false]);
    });

    it('a SharedMemory and a ShareableList are the same memory', async () => {
      using memory = SharedMemory.create({ size: 64 });
      using list = ShareableList.create([1, 'two', null]);
      await other.do('keep', { memory, list });
      await other.do('call', 'list', 'set', 0, 100);
      assert.equal(list.get(0), 100);
      list.set(1, 'zwo');
      assert.equal(await other.do('call', 'list', 'get', 1), 'zwo');
      memory.bytes[3] = 7;
      assert.equal(((await other.do('get', 'memory', 'bytes')) as Uint8Array)[3], 7);
      memory.unlink();
      list.unlink();
    });

    it('closed there, they are as they were here, and the other way round', async () => {
      using lock = new Lock();
      using semaphore = new Semaphore(1);
      const event = new Event();
      using value = new Value('i32', 1);
      await other.do('keep', { lock, semaphore, event, value });
      await other.do('keep', { second: lock });
      for (const name of ['lock', 'semaphore', 'value']) await other.do('call', name, 'close');
      assert.equal(await other.do('call', 'second', 'tryAcquire'), true);
      assert.equal(lock.owner, other.pid);
      assert.equal(semaphore.tryAcquire(), true);
      assert.equal(value.add(1), 1);
      const { outcome } = await other.begin('call', 'event', 'wait');
      event.close();
      await other.do('call', 'event', 'set');
      assert.equal(await outcome, true);
      await other.do('call', 'second', 'release');
    });
  });
}
