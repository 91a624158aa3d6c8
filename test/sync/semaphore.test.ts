import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { BoundedSemaphore, OverReleaseError, Semaphore, TimeoutError } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { Actor } from './actor.js';
import { freshName } from './locks.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const deeds = (semaphore: Semaphore) => ({
  acquire: (timeout?: number) => semaphore.acquire({ timeout }),
  acquireSync: (timeout?: number) => semaphore.acquireSync({ timeout }),
  tryAcquire: () => semaphore.tryAcquire(),
  release: (count?: number) => semaphore.release(count),
  value: () => semaphore.value,
});

/** The same for a plain semaphore and one with a ledger, by name and without. */
const kinds: readonly [string, (value: number) => Semaphore][] = [
  ['a Semaphore', (value) => new Semaphore(value)],
  ['a Semaphore with restore', (value) => new Semaphore(value, { restore: true })],
  ['a named Semaphore', (value) => new Semaphore(value, { name: freshName() })],
  ['a named Semaphore with restore', (value) => new Semaphore(value, { name: freshName(), restore: true })],
];

for (const [kind, make] of kinds) {
  describe(kind, () => {
    const withSemaphore = async (value: number, body: (semaphore: Semaphore) => Promise<void>): Promise<void> => {
      const semaphore = make(value);
      try {
        await body(semaphore);
      } finally {
        semaphore.close();
        semaphore.unlink();
      }
    };

    it('gives as many units as it has, in any form of acquire', async () => {
      await withSemaphore(3, async (semaphore) => {
        assert.equal(await semaphore.acquire(), true);
        assert.equal(semaphore.acquireSync(), true);
        assert.equal(semaphore.tryAcquire(), true);
        assert.equal(semaphore.value, 0);
        assert.equal(semaphore.tryAcquire(), false);
        assert.equal(semaphore.acquireSync({ timeout: 0 }), false);
        assert.equal(await semaphore.acquire({ timeout: 5 }), false);
        assert.equal(semaphore.acquireSync({ timeout: 5 }), false);
        semaphore.release(3);
        assert.equal(semaphore.value, 3);
      });
    });

    it('is a signal too: who gives need not have taken', async () => {
      await withSemaphore(0, async (semaphore) => {
        await using actor = await Actor.start(deeds(semaphore));
        const waits = [(await actor.begin('acquire')).outcome, semaphore.acquire()];
        semaphore.release();
        await actor.do('release');
        assert.deepEqual(await Promise.all(waits), [true, true]);
        assert.equal(semaphore.value, 0);
      });
    });

    for (const acquire of ['acquire', 'acquireSync'] as const) {
      it(`wakes as many as there are units: ${acquire}`, async () => {
        await withSemaphore(0, async (semaphore) => {
          await using first = await Actor.start(deeds(semaphore));
          await using second = await Actor.start(deeds(semaphore));
          await using third = await Actor.start(deeds(semaphore));
          const begun = await Promise.all([first, second, third].map((actor) => actor.begin(acquire)));
          const waits = begun.map(({ outcome }) => outcome);
          let passed = 0;
          for (const wait of waits) void wait.then(() => (passed += 1));
          semaphore.release(2);
          await waitFor('two to go on', () => passed === 2);
          assert.equal(semaphore.value, 0);
          semaphore.release();
          await Promise.all(waits);
        });
      });

      it(`gives nothing to a waiter that was killed: ${acquire}`, async () => {
        await withSemaphore(0, async (semaphore) => {
          const dying = await Actor.start(deeds(semaphore));
          await dying.begin(acquire);
          await dying.kill();
          semaphore.release();
          assert.equal(semaphore.value, 1);
          assert.equal(semaphore.tryAcquire(), true);
        });
      });
    }

    it('serves those who await it in one process in their order', async () => {
      await withSemaphore(0, async (semaphore) => {
        const order: number[] = [];
        const all = Array.from({ length: 10 }, (_, index) => semaphore.acquire().then(() => order.push(index)));
        semaphore.release(4);
        await all[3];
        assert.deepEqual(order, [0, 1, 2, 3]);
        semaphore.release(6);
        await Promise.all(all);
        assert.deepEqual(order, [...Array(10).keys()]);
      });
    });

    it('loses no unit to an aborted wait', async () => {
      await withSemaphore(0, async (semaphore) => {
        const reason = new Error('no more');
        for (let round = 0; round < 50; round += 1) {
          const controller = new AbortController();
          const wait = semaphore.acquire({ signal: controller.signal });
          semaphore.release();
          controller.abort(reason);
          await assert.rejects(wait, reason);
          assert.equal(semaphore.acquireSync(), true);
          assert.equal(semaphore.value, 0);
        }
      });
    });

    it('refuses to be released above what it can be', async () => {
      await withSemaphore(2 ** 31 - 1, async (semaphore) => {
        assert.throws(() => semaphore.release(), OverReleaseError);
        assert.equal(semaphore.tryAcquire(), true);
        assert.throws(() => semaphore.release(2), OverReleaseError);
        assert.equal(semaphore.value, 2 ** 31 - 2);
        semaphore.release();
      });
    });

    it('has use() and useSync()', async () => {
      await withSemaphore(1, async (semaphore) => {
        assert.equal(await semaphore.use(async () => semaphore.value), 0);
        assert.equal(
          semaphore.useSync(() => semaphore.value),
          0,
        );
        assert.equal(semaphore.value, 1);
        semaphore.acquireSync();
        await assert.rejects(
          semaphore.use(() => assert.fail('ran'), { timeout: 1 }),
          TimeoutError,
        );
      });
    });

    it('is refused after close()', async () => {
      await withSemaphore(1, async (semaphore) => {
        semaphore.acquireSync();
        const wait = semaphore.acquire();
        semaphore.close();
        semaphore.close();
        await assert.rejects(wait, { code: 'ERR_MP_CLOSED' });
        for (const use of [() => semaphore.tryAcquire(), () => semaphore.release(), () => semaphore.value]) {
          assert.throws(use, { code: 'ERR_MP_CLOSED' });
        }
        await assert.rejects(semaphore.acquire(), { code: 'ERR_MP_CLOSED' });
      });
    });
  });
}

describe('a Semaphore', () => {
  it('refuses wrong arguments before anything is made', () => {
    for (const value of ['1', null, {}, 1n])
      assert.throws(() => new Semaphore(value as number), wrongType, inspect(value));
    for (const value of [-1, 0.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new Semaphore(value), outOfRange);
    }
    assert.throws(() => new BoundedSemaphore(0), outOfRange);
    assert.throws(() => new Semaphore(1, { restore: 1 as unknown as boolean }), wrongType);
    assert.throws(() => new Semaphore(1, { name: 'a/b' }), { code: 'ERR_INVALID_ARG_VALUE' });
    using semaphore = new Semaphore(1);
    for (const count of [0, -1, 1.5, 2 ** 31]) assert.throws(() => semaphore.release(count), outOfRange);
    assert.throws(() => semaphore.release('1' as unknown as number), wrongType);
    assert.equal(semaphore.value, 1);
  });

  it('keeps the value it has when it is opened by name', () => {
    const name = freshName();
    using first = new Semaphore(5, { name });
    first.acquireSync();
    using second = new Semaphore(1, { name });
    assert.equal(second.value, 4);
    first.unlink();
  });

  it('shows its value when inspected', () => {
    using semaphore = new Semaphore(3);
    assert.equal(inspect(semaphore), 'Semaphore <value 3>');
    using bounded = new BoundedSemaphore(2);
    bounded.acquireSync();
    assert.equal(inspect(bounded), 'BoundedSemaphore <value 1 of 2>');
  });
});

describe('a BoundedSemaphore', () => {
  it('is never above its initial value, whoever releases', async () => {
    using semaphore = new BoundedSemaphore(2);
    assert.throws(() => semaphore.release(), { name: 'OverReleaseError', code: 'ERR_MP_OVER_RELEASE' });
    semaphore.acquireSync();
    await using actor = await Actor.start(deeds(semaphore));
    await assert.rejects(actor.do('release', 2), { code: 'ERR_MP_OVER_RELEASE' });
    await actor.do('release');
    await assert.rejects(actor.do('release'), { code: 'ERR_MP_OVER_RELEASE' });
    assert.equal(semaphore.value, 2);
  });

  it('has the bound of its creator', () => {
    const name = freshName();
    using first = new BoundedSemaphore(2, { name });
    using second = new BoundedSemaphore(9, { name });
    assert.throws(() => second.release(), OverReleaseError);
    first.unlink();
  });
});

describe('units of a Semaphore with restore', () => {
  const hold = async (semaphore: Semaphore, units: number) => {
    const actor = await Actor.start(deeds(semaphore));
    for (let unit = 0; unit < units; unit += 1) await actor.do(unit % 2 === 0 ? 'acquire' : 'acquireSync');
    return actor;
  };

  it('come back when their holder dies, to who waits and to who comes', async () => {
    using semaphore = new Semaphore(3, { restore: true });
    const holder = await hold(semaphore, 3);
    const wait = semaphore.acquire();
    await holder.kill();
    assert.equal(await wait, true);
    assert.equal(semaphore.tryAcquire(), true);
    assert.equal(semaphore.tryAcquire(), true);
    assert.equal(semaphore.tryAcquire(), false);
    semaphore.release(3);
    assert.equal(semaphore.value, 3);
  });

  it('are only those that it held', async () => {
    using semaphore = new Semaphore(4, { restore: true });
    const holder = await hold(semaphore, 3);
    await holder.do('release', 2);
    semaphore.acquireSync();
    await holder.kill();
    assert.equal(semaphore.value, 3);
    semaphore.release();
    assert.equal(semaphore.value, 4);
  });

  it('do not exceed a bound', async () => {
    using semaphore = new BoundedSemaphore(2, { restore: true });
    const holder = await hold(semaphore, 1);
    semaphore.release(); // for the holder, who does not know
    await holder.kill();
    assert.equal(semaphore.value, 2);
  });

  it('stay gone without it', async () => {
    using semaphore = new Semaphore(1);
    const holder = await hold(semaphore, 1);
    await holder.kill();
    assert.equal(await semaphore.acquire({ timeout: 250 }), false);
  });
});
