import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { inChild } from '../support/in_child.js';
import { interrupted } from './interrupted.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

let made = 0;
function freshName(): string {
  made += 1;
  return `/mp-test-sem-${process.pid}-${made}`;
}

/** A new semaphore without a name any more. */
function fresh(value: number): posix.SemaphoreHandle {
  const name = freshName();
  const handle = posix.semOpen(name, { create: true, exclusive: true, value });
  posix.semUnlink(name);
  return handle;
}

describe('posix semOpen', () => {
  it('makes a semaphore that others find by its name, until semUnlink', () => {
    const name = freshName();
    assert.throws(() => posix.semOpen(name), { code: 'ENOENT', syscall: 'sem_open' });
    const made = posix.semOpen(name, { create: true, value: 3 });
    const same = posix.semOpen(name, { create: true, value: 7 });
    assert.equal(posix.semGetValue(same), 3);
    assert.throws(() => posix.semOpen(name, { create: true, exclusive: true }), { code: 'EEXIST' });
    posix.semUnlink(name);
    assert.throws(() => posix.semUnlink(name), { code: 'ENOENT', syscall: 'sem_unlink' });
    posix.semPost(made);
    assert.equal(posix.semGetValue(same), 4);
    posix.semClose(made);
    posix.semClose(same);
  });

  it('refuses wrong arguments', () => {
    assert.throws(() => posix.semOpen(1 as unknown as string), wrongType);
    assert.throws(() => posix.semOpen('/a\0b'), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => posix.semOpen('/a/b', { create: true }), { code: 'EINVAL' });
    assert.throws(() => posix.semOpen(`/${'x'.repeat(300)}`, { create: true }), {
      code: /^(EINVAL|ENAMETOOLONG)$/,
    });
    assert.throws(() => posix.semOpen('/x', { create: true, value: -1 }), outOfRange);
    assert.throws(() => posix.semOpen('/x', { create: true, value: 2 ** 31 }), outOfRange);
    assert.throws(() => posix.semOpen('/x', { create: 'yes' as unknown as boolean }), wrongType);
    assert.throws(() => posix.semOpen('/x', null as unknown as object), wrongType);
    assert.throws(() => posix.semUnlink(undefined as unknown as string), wrongType);
  });
});

describe('posix semWait and semPost', () => {
  it('take and give units', () => {
    const semaphore = fresh(1);
    assert.equal(posix.semTryWait(semaphore), true);
    assert.equal(posix.semTryWait(semaphore), false);
    posix.semPost(semaphore);
    posix.semPost(semaphore);
    assert.equal(posix.semGetValue(semaphore), 2);
    posix.semWait(semaphore);
    assert.equal(posix.semTimedWait(semaphore, 0), true);
    assert.equal(posix.semTimedWait(semaphore, -5), false);
    posix.semClose(semaphore);
  });

  it('wait for another process', async () => {
    const [ours, theirs] = [fresh(0), fresh(0)];
    const child = await new Process({
      target: () => {
        for (let turn = 0; turn < 100; turn += 1) {
          posix.semWait(theirs);
          posix.semPost(ours);
        }
      },
    }).start();
    for (let turn = 0; turn < 100; turn += 1) {
      posix.semPost(theirs);
      posix.semWait(ours);
    }
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    posix.semClose(ours);
    posix.semClose(theirs);
  });

  it('semTimedWait ends false no earlier than it should, whatever signals come', async () => {
    const semaphore = fresh(0);
    await interrupted(() => {
      const start = performance.now();
      assert.equal(posix.semTimedWait(semaphore, 50), false);
      assert.ok(performance.now() - start >= 50);
    });
    posix.semClose(semaphore);
  });

  it('semPost fails with EOVERFLOW above the greatest value', () => {
    const semaphore = fresh(2 ** 31 - 1);
    assert.throws(() => posix.semPost(semaphore), { code: 'EOVERFLOW', syscall: 'sem_post' });
    posix.semClose(semaphore);
  });

  it('refuse wrong arguments', () => {
    const semaphore = fresh(1);
    assert.throws(() => posix.semTimedWait(semaphore, undefined as unknown as number), wrongType);
    assert.throws(() => posix.semTimedWait(semaphore, Number.NaN), outOfRange);
    posix.semClose(semaphore);
  });
});

describe('a semaphore handle', () => {
  it('is refused once closed', () => {
    const semaphore = fresh(1);
    posix.semClose(semaphore);
    const { semWait, semTryWait, semPost, semGetValue, semClose } = posix;
    for (const use of [semWait, semTryWait, semPost, semGetValue, semClose]) {
      assert.throws(() => use(semaphore), { code: 'EINVAL' });
    }
  });

  it('can not be forged', () => {
    const semaphore = fresh(1);
    const forged = Object.create(Object.getPrototypeOf(semaphore)) as posix.SemaphoreHandle;
    assert.throws(() => posix.semPost(forged), TypeError);
    for (const other of [{}, 1, undefined, null]) {
      assert.throws(() => posix.semPost(other as posix.SemaphoreHandle), wrongType);
    }
    posix.semClose(semaphore);
  });

  it('is open in a forked child too, whose closing does not close it here', async () => {
    const semaphore = fresh(0);
    await inChild(() => {
      posix.semPost(semaphore);
      posix.semClose(semaphore);
    });
    assert.equal(posix.semGetValue(semaphore), 1);
    posix.semClose(semaphore);
  });
});
