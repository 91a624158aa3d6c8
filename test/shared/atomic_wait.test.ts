import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  notifyChange,
  Process,
  SharedArray,
  SharedMemory,
  waitForChange,
  waitForChangeSync,
} from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };

function set(array: Int32Array, index: number, value: number): void {
  Atomics.store(array, index, value);
  notifyChange(array, index);
}

async function inParallel(target: () => unknown, body: () => Promise<void>): Promise<void> {
  const child = await new Process({ target }).start();
  await body();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
}

describe('waitForChange and notifyChange', () => {
  it('pass a turn to and fro between processes, awaited and blocking', async () => {
    using array = new SharedArray('i32', 3, { lock: false });
    const words = array.array;
    const rounds = 200;
    const other = (): void => {
      for (let round = 0; round < rounds; round += 1) {
        assert.ok(waitForChangeSync(words, 1, 2 * round));
        set(words, 1, 2 * round + 2);
      }
    };
    await inParallel(other, async () => {
      for (let round = 0; round < rounds; round += 1) {
        set(words, 1, 2 * round + 1);
        assert.equal(await waitForChange(words, 1, 2 * round + 1), true);
      }
    });
    assert.equal(words[1], 2 * rounds);
  });

  it('wake hundreds of waits in one process, each for its own word', async () => {
    using memory = SharedMemory.create({ size: 4096 });
    const words = new Int32Array(memory.buffer);
    const order: number[] = [];
    const waits = Array.from({ length: 600 }, (_, index) =>
      waitForChange(words, index, 0).then((changed) => {
        assert.equal(changed, true);
        order.push(index);
      }),
    );
    await inParallel(
      () => {
        for (let index = 0; index < 600; index += 1) set(words, index, 1);
      },
      async () => void (await Promise.all(waits)),
    );
    assert.equal(new Set(order).size, 600);
    memory.unlink();
  });

  it('resolve at once when the word is another already, false when the time is up', async () => {
    using array = new SharedArray('i32', [5], { lock: false });
    assert.equal(await waitForChange(array.array, 0, 4), true);
    assert.equal(waitForChangeSync(array.array, 0, 4), true);
    for (const timeout of [-1, 0, 5]) {
      assert.equal(await waitForChange(array.array, 0, 5, { timeout }), false);
      assert.equal(waitForChangeSync(array.array, 0, 5, { timeout }), false);
    }
    assert.equal(notifyChange(array.array, 0), 0);
    assert.equal(notifyChange(array.array, 0, 0), 0);
  });

  it('end with the signal, and with the memory', async () => {
    const array = new SharedArray('i32', 2, { lock: false });
    const reason = new Error('enough');
    const abort = new AbortController();
    const aborted = waitForChange(array.array, 0, 0, { signal: abort.signal });
    const closed = waitForChange(array.array, 1, 0);
    abort.abort(reason);
    await assert.rejects(aborted, reason);
    await assert.rejects(waitForChange(array.array, 0, 0, { signal: abort.signal }), reason);
    array.close();
    await assert.rejects(closed, { code: 'ERR_MP_CLOSED' });
    const buffer = posix.mmap(undefined, 4096);
    const unmapped = waitForChange(new Int32Array(buffer), 0, 0);
    posix.munmap(buffer);
    await assert.rejects(unmapped, { code: 'ERR_MP_CLOSED' });
  });

  it('keep the process alive while they wait, and not after', async () => {
    const { code, stdout, facts } = await runScript(`
      import { notifyChange, SharedArray, waitForChange } from 'posix-multiprocessing';
      const { array } = new SharedArray('i32', 1, { lock: false });
      setTimeout(() => { array[0] = 1; notifyChange(array, 0); }, 20).unref();
      waitForChange(array, 0, 0).then((changed) => console.log(changed));`);
    assert.deepEqual([code, stdout], [0, 'true\n'], facts);
  });

  it('go on in both processes after posix.fork, and not in a Process', async () => {
    using array = new SharedArray('i32', 2, { lock: false });
    const { stdout, stderr } = await runScript(`
      import { notifyChange, SharedArray, waitForChange } from 'posix-multiprocessing';
      import * as posix from 'posix-multiprocessing/posix';
      const { array } = new SharedArray('i32', 2, { lock: false });
      const both = waitForChange(array, 0, 0).then(() => Atomics.add(array, 1, 1));
      const pid = posix.fork();
      array[0] = 1;
      notifyChange(array, 0);
      await both;
      if (pid !== 0) {
        posix.waitpid(pid);
        console.log(array[1]);
      }`);
    assert.equal(stdout, '2\n', stderr);
    let woken = 0;
    const waiting = waitForChange(array.array, 0, 0).then(() => {
      woken += 1;
    });
    await inParallel(
      async () => {
        set(array.array, 0, 1);
        await waitForChange(array.array, 0, 0);
        assert.equal(woken, 0);
      },
      () => waiting,
    );
    assert.equal(woken, 1);
  });

  it('refuse what is no word of mapped memory', async () => {
    using array = new SharedArray('i32', 2, { lock: false });
    for (const index of [-1, 2, 0.5]) {
      await assert.rejects(waitForChange(array.array, index, 0), outOfRange);
      assert.throws(() => waitForChangeSync(array.array, index, 0), outOfRange);
      assert.throws(() => notifyChange(array.array, index), outOfRange);
    }
    for (const expected of [0.5, 2 ** 31]) {
      await assert.rejects(waitForChange(array.array, 0, expected), outOfRange);
      assert.throws(() => waitForChangeSync(array.array, 0, expected), outOfRange);
    }
    await assert.rejects(waitForChange(new Int32Array(1), 0, 0), wrongValue);
    await assert.rejects(waitForChange(new Int32Array(new SharedArrayBuffer(4)), 0, 0), wrongValue);
    await assert.rejects(waitForChange(new Uint32Array(array.array.buffer) as never, 0, 0), wrongType);
    assert.throws(() => notifyChange(array.array, 0, -1), outOfRange);
    assert.throws(() => notifyChange(array.array, 0, 'all' as never), wrongType);
  });
});
