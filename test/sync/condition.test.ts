import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { afterEach, describe, it } from 'mocha';
import { Condition, Lock, OwnerDiedError, RLock } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { Actor } from './actor.js';
import { turns, withWords } from './locks.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const notOwner = { name: 'NotOwnerError', code: 'ERR_MP_NOT_OWNER' };

/** What the last wait of an actor gave; each takes and releases the lock as a user would. */
const deeds = (condition: Condition, words?: Int32Array) => ({
  wait: (timeout?: number) => condition.use(() => condition.wait({ timeout })),
  waitSync: (timeout?: number) => condition.useSync(() => condition.waitSync({ timeout })),
  waitFor: (index: number, value: number) => condition.use(() => condition.waitFor(() => words?.[index] === value)),
  waitForSync: (index: number, value: number) =>
    condition.useSync(() => condition.waitForSync(() => words?.[index] === value)),
  waitTwice: () => condition.use(() => condition.use(() => condition.wait())),
  notify: (n?: number) => condition.useSync(() => condition.notify(n)),
});

const kinds = [
  ['a Condition', undefined],
  ['a Condition around a Lock', Lock],
  ['a Condition around an RLock', RLock],
] as const;

/** How many of them have settled. */
function settled(promises: readonly Promise<unknown>[]): () => number {
  let count = 0;
  for (const promise of promises) {
    promise.then(
      () => (count += 1),
      () => (count += 1),
    );
  }
  return () => count;
}

for (const [kind, type] of kinds) {
  describe(kind, () => {
    const locks: Lock[] = [];
    const make = (): Condition => {
      if (type === undefined) return new Condition();
      const lock = new type();
      locks.push(lock);
      return new Condition(lock);
    };
    afterEach(() => {
      for (const lock of locks.splice(0)) lock.close();
    });

    for (const wait of ['wait', 'waitSync'] as const) {
      const withWaiters = async (
        count: number,
        body: (
          condition: Condition,
          actors: Actor<ReturnType<typeof deeds>>[],
          waits: Promise<boolean>[],
        ) => Promise<void>,
      ): Promise<void> => {
        using condition = make();
        const actors = await Promise.all(Array.from({ length: count }, () => Actor.start(deeds(condition))));
        const waits: Promise<boolean>[] = [];
        for (const actor of actors) waits.push((await actor.begin(wait)).outcome);
        // Whoever has begun holds the lock until it waits.
        await condition.use(() => {});
        await body(condition, actors, waits);
        for (const actor of actors) await actor[Symbol.asyncDispose]();
      };

      it(`wakes exactly as many as notify() says: ${wait}`, async () => {
        await withWaiters(4, async (condition, _actors, waits) => {
          const passed = settled(waits);
          const notify = (n?: number): Promise<void> => condition.use(() => condition.notify(n));
          for (const [n, expected] of [
            [0, 0],
            [-3, 0],
            [1, 1],
            [2, 3],
          ] as const) {
            await notify(n);
            await waitFor(`${expected} to pass`, () => passed() === expected);
            await new Promise((resolve) => setTimeout(resolve, 30));
            assert.equal(passed(), expected);
          }
          await notify(100);
          assert.deepEqual(await Promise.all(waits), [true, true, true, true]);
          // Nothing is kept for later.
          assert.equal(await condition.use(() => condition.wait({ timeout: 5 })), false);
        });
      });

      it(`wakes all with notifyAll(): ${wait}`, async () => {
        await withWaiters(3, async (condition, _actors, waits) => {
          condition.useSync(() => condition.notifyAll());
          assert.deepEqual(await Promise.all(waits), [true, true, true]);
        });
      });

      it(`gives no notification to a waiter that was killed: ${wait}`, async () => {
        await withWaiters(3, async (condition, actors, waits) => {
          await actors[0]?.kill();
          condition.useSync(() => condition.notify());
          assert.equal(await waits[1], true);
          await actors[2]?.kill();
          condition.useSync(() => condition.notifyAll());
          assert.equal(await condition.use(() => condition.wait({ timeout: 250 })), false);
        });
      });
    }

    it('lets go of the lock while it waits, and has it afterwards', async () => {
      using condition = make();
      await using actor = await Actor.start(deeds(condition));
      await condition.acquire();
      const notifying = actor.do('notify');
      assert.equal(await condition.wait(), true);
      await notifying;
      assert.equal(condition.waitSync({ timeout: 2 }), false);
      assert.equal(await condition.wait({ timeout: 2 }), false);
      const other = actor.do('notify');
      await turns();
      condition.release();
      await other;
    });

    it('is not waited for, nor notified, without the lock', async () => {
      using condition = make();
      await assert.rejects(condition.wait(), notOwner);
      assert.throws(() => condition.waitSync(), notOwner);
      await assert.rejects(
        condition.waitFor(() => true),
        notOwner,
      );
      assert.throws(() => condition.waitForSync(() => true), notOwner);
      assert.throws(() => condition.notify(), notOwner);
      assert.throws(() => condition.notifyAll(), notOwner);
      // Held by another process is not held.
      await using actor = await Actor.start({ ...deeds(condition), hold: () => void condition.acquireSync() });
      await actor.do('hold');
      assert.throws(() => condition.notify(), notOwner);
    });

    it('waits for a predicate, also until a time', async () => {
      using condition = make();
      await withWords(async (words) => {
        await using first = await Actor.start(deeds(condition, words));
        await using second = await Actor.start(deeds(condition, words));
        const waits = [await first.begin('waitFor', 0, 3), await second.begin('waitForSync', 0, 3)];
        const change = (value: number): Promise<void> =>
          condition.use(() => {
            words[0] = value;
            condition.notifyAll();
          });
        await change(1);
        await change(2);
        await condition.use(async () => {
          assert.equal(await condition.waitFor(() => words[0] === 3, { timeout: 20 }), false);
          assert.equal(
            condition.waitForSync(() => words[0] === 3, { timeout: 20 }),
            false,
          );
          assert.equal(await condition.waitFor(() => words[0] === 2), true);
        });
        await change(3);
        for (const { outcome } of waits) assert.equal(await outcome, true);
      });
    });

    it('ends a wait by abort with its reason, holding the lock, and passes a notification on', async () => {
      using condition = make();
      await using actor = await Actor.start(deeds(condition));
      const reason = new Error('no more');
      for (let round = 0; round < 20; round += 1) {
        const controller = new AbortController();
        const aborted = condition.use(async () => {
          await assert.rejects(condition.wait({ signal: controller.signal }), reason);
          condition.notify(0); // held again
        });
        await turns();
        const { outcome } = await actor.begin('wait');
        await condition.use(() => condition.notify());
        controller.abort(reason);
        await Promise.race([aborted, outcome]);
        // If it came to the aborted one first, it has gone on to the other.
        const passed = settled([outcome]);
        await aborted.catch(() => {});
        await waitFor('the other to pass', () => passed() === 1);
        await outcome;
      }
    });

    it('rejects who waits when it is closed', async () => {
      const condition = make();
      const wait = condition.use(() => condition.wait()).catch((error: Error) => error);
      await turns();
      condition.close();
      condition.close();
      assert.equal(((await wait) as NodeJS.ErrnoException).code, 'ERR_MP_CLOSED');
      assert.throws(() => condition.notify(), { code: 'ERR_MP_CLOSED' });
    });
  });
}

describe('a Condition', () => {
  it('releases all levels of an RLock and restores them', async () => {
    const lock = new RLock();
    using condition = new Condition(lock);
    await lock.use(async () => {
      await lock.acquire();
      await lock.acquire();
      assert.equal(lock.depth, 3);
      assert.equal(await condition.wait({ timeout: 2 }), false);
      assert.equal(lock.depth, 3);
      assert.equal(condition.waitSync({ timeout: 2 }), false);
      assert.equal(lock.depth, 3);
      lock.release();
      lock.release();
    });
    assert.equal(lock.locked, false);
    await using actor = await Actor.start(deeds(condition));
    const { outcome } = await actor.begin('waitTwice');
    await condition.use(() => condition.notify());
    assert.equal(await outcome, true);
    lock.close();
  });

  it('takes its lock over from the dead when a wait ends', async () => {
    using condition = new Condition();
    await using actor = await Actor.start({
      hold: () => {
        condition.acquireSync();
        condition.notify();
      },
    });
    const wait = condition.use(() => condition.wait());
    await turns();
    await actor.do('hold');
    await actor.kill();
    await assert.rejects(wait, OwnerDiedError);
    assert.equal(condition.tryAcquire(), true);
    condition.release();
  });

  it('passes on what came to a waiter that died before it noticed', async () => {
    using lock = new Lock();
    using condition = new Condition(lock);
    const dying = await Actor.start(deeds(condition));
    const { outcome } = await dying.begin('waitSync');
    await condition.use(() => {});
    outcome.catch(() => {});
    const other = condition.use(() => condition.wait());
    await turns();
    dying.process.kill(); // it may still be there when it is notified
    condition.useSync(() => condition.notify());
    await dying.kill();
    assert.equal(await other, true);
  });

  it('is shared by several around one lock', async () => {
    const lock = new Lock();
    using full = new Condition(lock);
    using empty = new Condition(lock);
    const wait = full.use(() => full.wait());
    await turns();
    empty.useSync(() => empty.notifyAll());
    const passed = settled([wait]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(passed(), 0);
    full.useSync(() => full.notify());
    assert.equal(await wait, true);
    lock.close();
  });

  it('has waits by the thousand in one process', async () => {
    using lock = new Lock();
    using condition = new Condition(lock);
    const waits = Array.from({ length: 1000 }, () => condition.use(() => condition.wait()));
    for (let turn = 0; turn < 100; turn += 1) await turns();
    const passed = settled(waits);
    await waitFor('all to wait', async () => {
      await condition.use(() => condition.notifyAll());
      return passed() > 0 && passed() === 1000;
    });
  });

  it('refuses wrong arguments', async () => {
    for (const lock of [1, null, {}, new (class {})()]) assert.throws(() => new Condition(lock as never), wrongType);
    using condition = new Condition();
    await condition.use(async () => {
      for (const n of ['1', null]) assert.throws(() => condition.notify(n as never), wrongType);
      assert.throws(() => condition.notify(1.5), { code: 'ERR_OUT_OF_RANGE' });
      await assert.rejects(condition.waitFor(1 as never), wrongType);
      await assert.rejects(condition.wait({ timeout: 'x' as never }), wrongType);
      assert.throws(() => condition.waitForSync(undefined as never), wrongType);
    });
    assert.equal(inspect(condition), 'Condition <RLock <free>>');
  });
});
