/** How long the memory of an object lives that has travelled, or is on its way. */

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from 'posix-multiprocessing';
import { descriptorsOf } from '../support/processes.js';
import { waitFor } from '../support/watchdog.js';
import { freshName } from '../sync/locks.js';

const arenas = (): number => [...descriptorsOf('self').values()].filter((to) => to.includes('arena')).length;

async function inFork(target: () => unknown): Promise<void> {
  const child = await new Process({ target }).start();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
}

describe('an object on its way', () => {
  it('keeps its memory to itself, though its maker has closed it', () => {
    using queue = new Queue<Lock>();
    const lock = new Lock();
    queue.putSync(lock);
    lock.close();
    const others = Array.from({ length: 2000 }, () => new Lock());
    for (const other of others) other.acquireSync();
    using arrived = queue.getSync();
    assert.equal(arrived.tryAcquire(), true);
    assert.equal(arrived.owner, process.pid);
    for (const other of others) {
      assert.equal(other.locked, true);
      other.close();
    }
    using late = new Lock();
    assert.equal(late.locked, false);
  });

  it('is what it was when its maker is dead and its memory was in nobody’s hands', async () => {
    using queue = new Queue<unknown[]>();
    await inFork(() => {
      const semaphore = new Semaphore(5, { restore: true });
      const event = new Event();
      event.set();
      queue.putSync([semaphore, event, new Value('f64', 1.5), new BoundedSemaphore(3), new Condition()]);
      semaphore.tryAcquire();
    });
    const [semaphore, event, value, bounded, condition] = (await queue.get()) as [
      Semaphore,
      Event,
      Value<'f64'>,
      BoundedSemaphore,
      Condition,
    ];
    assert.deepEqual([semaphore.value, event.isSet(), value.value, bounded.value], [5, true, 1.5, 3]);
    assert.throws(() => bounded.release(), { code: 'ERR_MP_OVER_RELEASE' });
    condition.useSync(() => condition.notifyAll());
    for (const object of [semaphore, event, value, bounded, condition]) object.close();
  });

  it('nobody takes goes with the queue', async () => {
    const before = arenas();
    const queue = new Queue<Lock>();
    for (let index = 0; index < 10; index += 1) {
      const lock = new Lock();
      queue.putSync(lock);
      lock.close();
    }
    queue.close();
    await waitFor('its memory to be let go', () => arenas() <= before);
  });

  it('and its copies leave no descriptor behind, closed or dropped', async () => {
    const [here, there] = Pipe<Lock>();
    using lock = new Lock();
    await here.send(lock);
    (await there.recv()).close();
    const before = arenas();
    for (let index = 0; index < 500; index += 1) {
      here.sendSync(lock);
      const copy = index % 2 === 0 ? there.recvSync() : await there.recv();
      assert.equal(copy.tryAcquire(), true);
      lock.release();
      if (index % 4 < 2) copy.close();
    }
    assert.equal(arenas(), before);
    here.close();
    there.close();
  });

  it('that are dropped where they came to are let go there', async () => {
    using queue = new Queue<Lock>();
    await inFork(() => queue.putSync(new Lock()));
    const before = arenas();
    assert.equal(queue.getSync().locked, false);
    await waitFor('it is collected', () => {
      globalThis.gc?.();
      return arenas() <= before;
    });
  });
});

describe('objects in one message', () => {
  it('are the same where they were the same, and share a descriptor', async () => {
    const locks = Array.from({ length: 1000 }, () => new Lock());
    const [here, there] = Pipe<Lock[]>();
    await here.send([...locks, ...locks]);
    const before = descriptorsOf('self').size;
    const copies = await there.recv();
    assert.equal(descriptorsOf('self').size, before);
    for (const [index, lock] of locks.entries()) {
      assert.equal(copies[index], copies[index + 1000]);
      assert.notEqual(copies[index], lock);
      if (index % 7 === 0) lock.acquireSync();
    }
    for (const [index] of locks.entries()) assert.equal(copies[index]?.locked, index % 7 === 0);
    for (const lock of [...locks, ...copies]) lock.close();
    here.close();
    there.close();
  });

  it('arrive as what they are, a subclass as what it was made of', async () => {
    class Gate extends RLock {}
    const all = [new Gate(), new Semaphore(0), new BoundedSemaphore(1), new Event(), new Condition(), new Barrier(2)];
    const more = [new Value('u8'), new SharedArray('u8', 3), new Lock({ onOwnerDied: 'recover' })];
    using queue = new Queue<object[]>();
    queue.putSync([...all, ...more]);
    const names = ['RLock', 'Semaphore', 'BoundedSemaphore', 'Event', 'Condition', 'Barrier'];
    const copies = await queue.get();
    assert.deepEqual(
      copies.map((copy) => copy.constructor.name),
      [...names, 'Value', 'SharedArray', 'Lock'],
    );
    for (const object of [...all, ...more, ...(copies as Lock[])]) object.close();
  });
});

describe('an object that can not travel', () => {
  it('is closed, or a Barrier whose action is a closure', () => {
    using queue = new Queue();
    const makers = { Lock, RLock, Event, Condition, BoundedSemaphore, Semaphore };
    for (const [name, type] of Object.entries(makers)) {
      const object = new type();
      object.close();
      const message = `item.deep[0] is a closed ${name}`;
      assert.throws(() => queue.putSync({ deep: [object] }), { code: 'ERR_MP_SERIALIZE', message });
    }
    using barrier = new Barrier(2, { action: () => {} });
    assert.throws(() => queue.putSync(barrier), {
      code: 'ERR_MP_SERIALIZE',
      message: /^item is a Barrier whose action is known to this process only/,
    });
    assert.equal(queue.size, 0);
  });

  it('is one whose name is gone, or another’s by now', () => {
    using queue = new Queue<Lock>();
    const name = freshName();
    const lock = new Lock({ name });
    for (let time = 0; time < 2; time += 1) queue.putSync(lock);
    lock.unlink();
    assert.throws(() => queue.getSync(), { code: 'ENOENT' });
    using other = new Lock({ name });
    assert.throws(() => queue.getSync(), { code: 'ENOENT' });
    other.unlink();
    lock.close();
  });
});

describe('two objects of one process for one lock', () => {
  it('do not keep the lock from each other', async () => {
    using lock = new Lock();
    const [here, there] = Pipe<Lock>();
    here.sendSync(lock);
    using copy = there.recvSync();
    lock.acquireSync();
    const awaited = lock.acquire();
    const awaitedToo = copy.acquire({ timeout: 20_000 });
    lock.release();
    // One who blocks the loop goes before those who await, whichever object they use.
    assert.equal(copy.acquireSync(), true);
    copy.release();
    assert.equal(await awaited, true);
    lock.release();
    assert.equal(await awaitedToo, true);
    lock.release();
    here.close();
    there.close();
  });

  it('are one RLock, by whichever name it was opened', () => {
    const name = freshName();
    using one = new RLock({ name });
    using two = new RLock({ name: `/${name}` });
    assert.equal(
      one.useSync(() => two.useSync(() => one.depth)),
      2,
    );
    one.unlink();
  });
});
