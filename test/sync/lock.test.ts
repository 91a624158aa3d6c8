import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { ClosedError, Lock, MultiprocessingError, OverReleaseError, TimeoutError } from 'posix-multiprocessing';
import { ownNames } from '../support/processes.js';
import { waitFor } from '../support/watchdog.js';
import { freshName, isFree, turns, withLock } from './locks.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

describe('Lock', () => {
  it('is held by one at a time, in any form of acquire', async () => {
    await withLock(async (lock) => {
      for (const acquire of [() => lock.acquire(), () => lock.acquireSync(), () => lock.tryAcquire()]) {
        assert.equal(await acquire(), true);
        assert.equal(lock.locked, true);
        assert.equal(lock.owner, process.pid);
        assert.equal(lock.tryAcquire(), false);
        assert.equal(lock.acquireSync({ timeout: 0 }), false);
        assert.equal(await lock.acquire({ timeout: -1 }), false);
        lock.release();
        assert.equal(lock.locked, false);
        assert.equal(lock.owner, undefined);
      }
    });
  });

  it('is not released when nobody holds it', async () => {
    await withLock(async (lock) => {
      assert.throws(() => lock.release(), { name: 'OverReleaseError', code: 'ERR_MP_OVER_RELEASE' });
      lock.acquireSync();
      lock.release();
      assert.throws(() => lock.release(), OverReleaseError);
      assert.equal(lock.tryAcquire(), true);
      assert.equal(lock.tryAcquire(), false);
      lock.release();
    });
  });

  it('waits no shorter than the time-out, then says false', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      for (const acquire of [() => lock.acquire({ timeout: 30 }), () => lock.acquireSync({ timeout: 30 })]) {
        const start = performance.now();
        assert.equal(await acquire(), false);
        assert.ok(performance.now() - start >= 29.9);
      }
      lock.release();
      assert.ok(isFree(lock));
    });
  });

  it('refuses wrong options and creates nothing', async () => {
    const before = ownNames();
    const refused = (options: unknown, error: object): void =>
      assert.throws(() => new Lock(options as object), error, inspect(options));
    for (const options of [1, 'name', null]) refused(options, wrongType);
    for (const name of [5, {}, null, Symbol('x')]) refused({ name }, wrongType);
    for (const name of ['', '/', 'a/b', '/a/b', '//a', 'a\0b', '.', '..', 'x'.repeat(252), 'ü'.repeat(126)]) {
      refused({ name }, wrongValue);
    }
    refused({ persist: 1 }, wrongType);
    refused({ onOwnerDied: 'ignore' }, wrongValue);
    assert.deepEqual(ownNames(), before);
    await withLock(async (lock) => {
      for (const timeout of ['1', {}, null]) {
        await assert.rejects(lock.acquire({ timeout: timeout as number }), wrongType);
        assert.throws(() => lock.acquireSync({ timeout: timeout as number }), wrongType);
      }
      await assert.rejects(lock.acquire({ timeout: Number.NaN }), outOfRange);
      await assert.rejects(lock.acquire({ signal: {} as AbortSignal }), wrongType);
      await assert.rejects(lock.use(5 as unknown as () => void), wrongType);
      assert.throws(() => lock.useSync(undefined as unknown as () => void), wrongType);
      assert.ok(isFree(lock));
    });
  });

  it('shows its state when inspected', () => {
    const name = freshName();
    const lock = new Lock({ name });
    assert.equal(inspect(lock), `Lock '${name}' <free>`);
    lock.acquireSync();
    assert.equal(inspect(lock), `Lock '${name}' <held by ${process.pid}>`);
    lock.close();
    assert.equal(inspect([lock]), `[ Lock '${name}' <closed> ]`);
    lock.unlink();
    const nameless = new Lock();
    assert.equal(inspect(nameless), 'Lock <free>');
    nameless.close();
  });

  it('leaves nothing in /dev/shm without a name', () => {
    const before = ownNames();
    const locks = Array.from({ length: 100 }, () => new Lock());
    assert.deepEqual(ownNames(), before);
    for (const lock of locks) lock.close();
  });
});

describe('Lock.use', () => {
  it('holds the lock while the body runs, releases it whatever happens, and gives its result', async () => {
    await withLock(async (lock) => {
      const states: boolean[] = [];
      const result = await lock.use(async () => {
        await turns();
        states.push(lock.locked);
        return 5;
      });
      assert.equal(result, 5);
      assert.equal(
        lock.useSync(() => states.push(lock.locked)),
        2,
      );
      assert.deepEqual(states, [true, true]);
      const error = new Error('on purpose');
      const fail = (): never => {
        throw error;
      };
      await assert.rejects(lock.use(fail), error);
      await assert.rejects(
        lock.use(() => Promise.reject(error)),
        error,
      );
      assert.throws(() => lock.useSync(fail), error);
      assert.ok(isFree(lock));
    });
  });

  it('throws TimeoutError without running the body when the time is up', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      const body = (): void => assert.fail('the body ran');
      await assert.rejects(lock.use(body, { timeout: 5 }), TimeoutError);
      assert.throws(() => lock.useSync(body, { timeout: 5 }), { code: 'ERR_MP_TIMEOUT' });
      lock.release();
      await lock.use(() => {}, { timeout: 5 });
    });
  });
});

describe('Lock.close', () => {
  it('refuses every later call but unlink and close', async () => {
    const name = freshName();
    const lock = new Lock({ name });
    lock.close();
    lock.close();
    lock[Symbol.dispose]();
    const uses = [
      () => lock.acquireSync(),
      () => lock.tryAcquire(),
      () => lock.release(),
      () => lock.useSync(() => {}),
      () => lock.locked,
      () => lock.owner,
    ];
    for (const use of uses) assert.throws(use, ClosedError);
    await assert.rejects(lock.acquire(), ClosedError);
    await assert.rejects(
      lock.use(() => {}),
      MultiprocessingError,
    );
    lock.unlink();
    assert.throws(() => lock.unlink(), { code: 'ENOENT', syscall: 'sem_unlink' });
  });

  it('leaves a held lock held', () => {
    const name = freshName();
    const [first, second] = [new Lock({ name }), new Lock({ name })];
    first.acquireSync();
    first.close();
    assert.equal(second.tryAcquire(), false);
    second.release();
    second.unlink();
    second.close();
  });

  it('gives descriptors and memory back', async () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for (let round = 0; round < 20; round += 1) {
      const lock = new Lock();
      lock.acquireSync();
      const wait = lock.acquire();
      lock.release();
      await wait;
      lock.close();
    }
    await waitFor('the descriptors to go', () => descriptors() <= before);
  });
});

describe('a named Lock', () => {
  it('is the same for all who open it, with or without the slash', async () => {
    const name = freshName();
    const [first, second] = [new Lock({ name }), new Lock({ name: `/${name}` })];
    assert.equal(first.tryAcquire(), true);
    assert.equal(second.tryAcquire(), false);
    const wait = second.acquire();
    first.release();
    assert.equal(await wait, true);
    assert.equal(first.owner, process.pid);
    second.release();
    first.unlink();
    const third = new Lock({ name });
    assert.equal(third.tryAcquire(), true);
    assert.equal(first.locked, false);
    for (const lock of [first, second, third]) lock.close();
    third.unlink();
  });

  it('is one file, for its owner only', () => {
    const name = freshName();
    const before = ownNames();
    const lock = new Lock({ name });
    assert.deepEqual(
      ownNames().filter((file) => !before.includes(file)),
      [`sem.${name}`],
    );
    assert.equal(statSync(`/dev/shm/sem.${name}`).mode & 0o777, 0o600);
    lock.unlink();
    lock.close();
  });
});
