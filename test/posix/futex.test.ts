import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';
import { interrupted } from './interrupted.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** A thread that runs `body` with the module as `posix` and the array as `words`. */
function thread(words: Int32Array, body: string): Worker {
  const workerData = { words, module: import.meta.resolve('posix-multiprocessing/posix') };
  const source = `
    const { workerData: { words, module }, parentPort } = require('node:worker_threads');
    import(module).then((posix) => { ${body} });`;
  return new Worker(source, { eval: true, workerData });
}

describe('posix futexWait', () => {
  it('returns not-equal at once when the word has another value', () => {
    const words = Int32Array.of(0, 7);
    assert.equal(posix.futexWait(words, 1, 8), 'not-equal');
    assert.equal(posix.futexWait(words, 1, 0, { timeout: 1000 }), 'not-equal');
  });

  it('returns timed-out no earlier than it should', () => {
    const words = Int32Array.of(-1);
    const start = performance.now();
    assert.equal(posix.futexWait(words, 0, -1, { timeout: 30 }), 'timed-out');
    assert.ok(performance.now() - start >= 30);
  });

  it('tries once when the timeout is not positive', () => {
    const words = new Int32Array(1);
    assert.equal(posix.futexWait(words, 0, 0, { timeout: 0 }), 'timed-out');
    assert.equal(posix.futexWait(words, 0, 0, { timeout: -1 }), 'timed-out');
  });

  it('waits to its deadline though signals interrupt it', () =>
    interrupted(() => {
      const start = performance.now();
      assert.equal(posix.futexWait(new Int32Array(1), 0, 0, { timeout: 100 }), 'timed-out');
      assert.ok(performance.now() - start >= 100);
    }));

  it('is woken through shared memory', async () => {
    const words = new Int32Array(new SharedArrayBuffer(64), 8, 4);
    const waker = thread(words, 'while (posix.futexWake(words, 2, 1) === 0);');
    assert.equal(posix.futexWait(words, 2, 0), 'ok');
    await once(waker, 'exit');
  });

  it('is woken by another process through mapped memory', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mp-futex-'));
    const file = path.join(folder, 'words');
    writeFileSync(file, Buffer.alloc(64));
    const fd = openSync(file, 'r+');
    const words = new Int32Array(posix.mmap(fd, 64));
    closeSync(fd);
    const waking = setInterval(() => posix.futexWake(words, 1, 1), 1);
    const { stdout } = await runScript(
      `import { openSync } from 'node:fs';
      import { futexWait, mmap } from 'posix-multiprocessing/posix';
      const words = new Int32Array(mmap(openSync(process.argv[1], 'r+'), 64));
      console.log(futexWait(words, 1, 0));`,
      { args: [file] },
    );
    clearInterval(waking);
    rmSync(folder, { recursive: true });
    assert.equal(stdout, 'ok\n');
  });

  it('refuses memory that is gone', () => {
    const buffer = posix.mmap(undefined, 4096);
    const words = new Int32Array(buffer);
    posix.munmap(buffer);
    assert.throws(() => posix.futexWait(words, 0, 0), outOfRange);
    assert.throws(() => posix.futexWake(words, 0), outOfRange);
  });

  it('refuses wrong arguments', () => {
    const words = new Int32Array(2);
    assert.throws(() => posix.futexWait([0] as never, 0, 0), wrongType);
    assert.throws(() => posix.futexWait(new Uint32Array(1) as never, 0, 0), wrongType);
    assert.throws(() => posix.futexWait(words, 2, 0), outOfRange);
    assert.throws(() => posix.futexWait(words, -1, 0), outOfRange);
    assert.throws(() => posix.futexWait(new Int32Array(0), 0, 0), outOfRange);
    assert.throws(() => posix.futexWait(words, 0, 2 ** 31), outOfRange);
    assert.throws(() => posix.futexWait(words, 0, '0' as never), wrongType);
    assert.throws(() => posix.futexWait(words, 0, 1, { timeout: '1' as never }), wrongType);
    assert.throws(() => posix.futexWait(words, 0, 1, { timeout: Number.NaN }), outOfRange);
    assert.throws(() => posix.futexWait(words, 0, 1, 5 as never), wrongType);
  });
});

describe('posix futexWake', () => {
  it('wakes as many waiters as it is told and returns their number', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const waiters = [1, 2, 3].map(() => thread(words, 'parentPort.postMessage(posix.futexWait(words, 0, 0));'));
    const outcomes = Promise.all(waiters.map((waiter) => once(waiter, 'message')));
    let woken = 0;
    while (woken === 0) woken += posix.futexWake(words, 0, 1);
    assert.equal(woken, 1);
    while (woken < 3) woken += posix.futexWake(words, 0);
    assert.deepEqual(await outcomes, [['ok'], ['ok'], ['ok']]);
    assert.equal(posix.futexWake(words, 0), 0);
  });

  it('with count 0 wakes nobody', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const waiter = thread(words, 'parentPort.postMessage(posix.futexWait(words, 0, 0));');
    const outcome = once(waiter, 'message');
    const wakeUp = setInterval(() => {
      assert.equal(posix.futexWake(words, 0, 0), 0);
      posix.futexWake(words, 0, 1);
    }, 1);
    assert.deepEqual(await outcome, ['ok']);
    clearInterval(wakeUp);
  });

  it('refuses wrong arguments', () => {
    const words = new Int32Array(1);
    assert.throws(() => posix.futexWake({} as never, 0), wrongType);
    assert.throws(() => posix.futexWake(words, 1), outOfRange);
    assert.throws(() => posix.futexWake(words, 0, '1' as never), wrongType);
    for (const count of [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => posix.futexWake(words, 0, count), outOfRange);
    }
  });
});
