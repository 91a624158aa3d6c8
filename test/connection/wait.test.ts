import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'mocha';
import { Pipe, Process, wait, waitSync } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';

describe('wait', () => {
  it('gives all that are ready, each once, in their order, and takes nothing', async () => {
    const [a, toA] = Pipe<number>();
    const [b, toB] = Pipe<number>({ duplex: false });
    const [c, toC] = Pipe<number>();
    const { readEnd, writeEnd } = posix.pipe();
    toC.sendSync(3);
    posix.write(writeEnd, Uint8Array.of(1));
    toA.sendSync(1);
    for (const sync of [false, true]) {
      const objects = [a, b, c, readEnd, a] as const;
      const ready = sync ? waitSync(objects) : await wait(objects);
      assert.deepEqual(ready, [a, c, readEnd]);
    }
    toB.close();
    assert.deepEqual(await wait([b, readEnd], { timeout: 0 }), [b, readEnd]);
    assert.equal(a.recvSync(), 1);
    assert.deepEqual(waitSync([a], { timeout: 0 }), []);
    for (const connection of [a, toA, b, c, toC]) connection.close();
    posix.close(readEnd);
    posix.close(writeEnd);
  });

  it('wakes for the first that becomes ready', async () => {
    const [a, toA] = Pipe<number>();
    const [b, toB] = Pipe<number>();
    using _a = a;
    using _toA = toA;
    using _b = b;
    const waiting = wait([a, b], { timeout: 60_000 });
    await new Promise(setImmediate);
    toB.close();
    assert.deepEqual(await waiting, [b]);
  });

  it('a Process is ready when it has ended', async () => {
    const [mine, its] = Pipe<string>();
    using _mine = mine;
    const child = await new Process({ target: () => its.recvSync() }).start();
    its.close();
    assert.deepEqual(await wait([child, mine], { timeout: 0 }), []);
    mine.sendSync('go');
    assert.ok((await wait([child])).includes(child));
    assert.ok(waitSync([child]).includes(child));
    await child.join();
    child.close();
  });

  it('is over in time, not before, and with nothing', async () => {
    const [a, b] = Pipe();
    using _a = a;
    using _b = b;
    for (const objects of [[a], []]) {
      const started = performance.now();
      assert.deepEqual(await wait(objects, { timeout: 30 }), []);
      assert.ok(performance.now() - started >= 28);
      assert.deepEqual(waitSync(objects, { timeout: 30 }), []);
      assert.ok(performance.now() - started >= 58);
    }
    assert.deepEqual(await wait([]), []);
    assert.deepEqual(waitSync([]), []);
  });

  it('an abort rejects with its reason and leaves the messages alone', async () => {
    const [a, b] = Pipe<string>();
    using _a = a;
    using _b = b;
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = wait([a], { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(wait([], { signal: controller.signal, timeout: 60_000 }), reason);
    b.sendSync('kept');
    assert.equal(await a.recv(), 'kept');
  });

  it('refuses what it can not wait for', async () => {
    const [a, b] = Pipe();
    a.close();
    b.close();
    assert.throws(() => waitSync([a]), { code: 'ERR_MP_CLOSED' });
    await assert.rejects(wait([a]), { code: 'ERR_MP_CLOSED' });
    await assert.rejects(wait([1e6]), { code: 'EBADF' });
    assert.throws(() => waitSync([-1]), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => waitSync([{} as unknown as number]), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => waitSync(7 as unknown as number[]), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => waitSync([new Process({ target: () => {} })]), { code: 'ERR_MP_PROCESS' });
  });
});
