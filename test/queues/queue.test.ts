import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Queue } from 'posix-multiprocessing';
import { collectGarbage, memoryOfQueues } from '../support/memory.js';
import { ownNames } from '../support/processes.js';
import { waitFor } from '../support/watchdog.js';

const empty = { code: 'ERR_MP_QUEUE_EMPTY' };
const full = { code: 'ERR_MP_QUEUE_FULL' };
const closed = { code: 'ERR_MP_CLOSED' };
const endOfFile = { code: 'ERR_MP_EOF' };

describe('Queue', () => {
  it('gives values back in order, awaited, blocking or at once', async () => {
    using queue = new Queue();
    const values = [
      undefined,
      null,
      1,
      'text',
      { a: [1] },
      new Map([[1, 2]]),
      Buffer.from('x'),
      new Error('e').message,
    ];
    for (const value of values) {
      await queue.put(value);
      queue.putSync(value);
      queue.putNowait(value);
    }
    for (const value of values) {
      assert.deepEqual(await queue.get(), value);
      assert.deepEqual(queue.getSync(), value);
      assert.deepEqual(queue.getNowait(), value);
    }
  });

  it('size, isEmpty, isFull and get agree at every moment', async () => {
    using queue = new Queue<number>(3);
    for (let size = 0; size < 3; size += 1) {
      assert.deepEqual([queue.size, queue.isEmpty(), queue.isFull()], [size, size === 0, false]);
      await queue.put(size);
    }
    assert.deepEqual([queue.size, queue.isEmpty(), queue.isFull()], [3, false, true]);
    for (let size = 3; size > 0; size -= 1) {
      assert.equal(queue.size, size);
      queue.getNowait();
    }
    assert.deepEqual([queue.size, queue.isEmpty(), queue.isFull()], [0, true, false]);
    assert.throws(() => queue.getNowait(), empty);
  });

  it('is full at maxSize, and never without one', async () => {
    using queue = new Queue<number>(1);
    queue.putNowait(1);
    assert.throws(() => queue.putNowait(2), full);
    assert.throws(() => queue.putSync(2, { timeout: 5 }), full);
    await assert.rejects(queue.put(2, { timeout: 5 }), full);
    assert.equal(queue.getNowait(), 1);
    queue.putNowait(3);
    for (const maxSize of [0, -1, undefined]) {
      using boundless = new Queue<number>(maxSize);
      for (let i = 0; i < 5000; i += 1) boundless.putNowait(i);
      assert.equal(boundless.isFull(), false);
      assert.equal(boundless.size, 5000);
    }
  });

  it('a value is what it was when it was put', async () => {
    using queue = new Queue<{ list: number[]; bytes: Buffer }>(1);
    const value = { list: [1], bytes: Buffer.alloc(100_000, 1) };
    const first = queue.put(value);
    const second = queue.put(value); // has to wait for room
    value.list.push(2);
    value.bytes.fill(2);
    for (const put of [first, second]) {
      const received = await queue.get();
      await put;
      assert.deepEqual(received.list, [1]);
      assert.ok(received.bytes.equals(Buffer.alloc(100_000, 1)));
    }
  });

  it('a value that cannot travel is refused at the call, and the queue goes on', async () => {
    using queue = new Queue();
    const refused = { code: 'ERR_MP_SERIALIZE', message: 'item.f is a function' };
    await assert.rejects(queue.put({ f: () => {} }), refused);
    assert.throws(() => queue.putSync({ f: () => {} }), refused);
    assert.throws(() => queue.putNowait({ f: () => {} }), refused);
    assert.equal(queue.size, 0);
  });

  it('values of 16 MiB fit, many of them, and their memory is given back', async () => {
    using queue = new Queue<Buffer>();
    queue.putNowait(Buffer.alloc(0));
    for (let i = 1; i <= 8; i += 1) await queue.put(Buffer.alloc(16 << 20, i));
    assert.ok(memoryOfQueues() > 100_000);
    queue.getNowait();
    const take = async (i: number): Promise<void> => {
      const value = await queue.get();
      assert.equal(value.length, 16 << 20);
      assert.ok(value[0] === i && value.at(-1) === i);
    };
    for (let i = 1; i <= 8; i += 1) await take(i);
    await collectGarbage();
    await waitFor('the memory to be given back', () => memoryOfQueues() < 2000);
  });

  it('one of 200 MiB fits, and its memory is given back', async () => {
    using queue = new Queue<Buffer>();
    const size = 200 << 20;
    const putAndTake = async (): Promise<void> => {
      await queue.put(Buffer.alloc(size, 5));
      const value = await queue.get();
      assert.equal(value.length, size);
      assert.ok(value.equals(Buffer.alloc(size, 5)));
    };
    await putAndTake();
    await queue.put(Buffer.alloc(1));
    await collectGarbage();
    await waitFor('the memory to be given back', () => memoryOfQueues() < 2000);
  });

  it('leaves nothing in /dev/shm and unmaps its memory when it is closed', async () => {
    await collectGarbage(); // values of others before it
    const before = ownNames();
    const queue = new Queue();
    queue.putNowait('x');
    assert.deepEqual(ownNames(), before);
    assert.match(readFileSync('/proc/self/maps', 'utf8'), /memfd:posix-multiprocessing queue/);
    queue.close();
    assert.doesNotMatch(readFileSync('/proc/self/maps', 'utf8'), /memfd:posix-multiprocessing queue/);
  });

  it('after close() every call throws ERR_MP_CLOSED, those that wait too', async () => {
    const queue = new Queue<number>();
    const get = queue.get();
    queue.close();
    await assert.rejects(get, closed);
    assert.throws(() => queue.isFull(), closed);
    const bounded = new Queue<number>(1);
    bounded.putNowait(1);
    const put = bounded.put(2);
    bounded.close();
    bounded.close();
    await assert.rejects(put, closed);
    await assert.rejects(bounded.put(1), closed);
    await assert.rejects(bounded.get(), closed);
    assert.throws(() => bounded.putSync(1), closed);
    assert.throws(() => bounded.getSync(), closed);
    assert.throws(() => bounded.size, closed);
    assert.throws(() => bounded.end(), closed);
    assert.equal(inspect(bounded), 'Queue { closed }');
  });

  it('after end() nothing is put, what is there is drained, then get says end of file', async () => {
    using queue = new Queue<number>(2);
    queue.putNowait(1);
    queue.putNowait(2);
    const waiting = queue.put(3);
    queue.end();
    queue.end();
    await assert.rejects(waiting, closed);
    await assert.rejects(queue.put(4), closed);
    assert.throws(() => queue.putNowait(4), closed);
    assert.equal(await queue.get(), 1);
    assert.equal(queue.getSync(), 2);
    for (let again = 0; again < 2; again += 1) {
      await assert.rejects(queue.get(), endOfFile);
      assert.throws(() => queue.getSync(), endOfFile);
      assert.throws(() => queue.getNowait(), endOfFile);
    }
  });

  it('end() wakes those who wait', async () => {
    using queue = new Queue<number>();
    const waits = [queue.get(), queue.get({ timeout: 60_000 })];
    await new Promise(setImmediate);
    queue.end();
    for (const wait of waits) await assert.rejects(wait, endOfFile);
  });

  it('iteration gives every value and ends with the queue', async () => {
    using queue = new Queue<number>();
    for (let i = 0; i < 1000; i += 1) queue.putNowait(i);
    queue.end();
    const seen: number[] = [];
    for await (const value of queue) seen.push(value);
    assert.deepEqual(
      seen,
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it('two readers that iterate share the values', async () => {
    using queue = new Queue<number>();
    const read = async (): Promise<number[]> => {
      const seen: number[] = [];
      for await (const value of queue) seen.push(value);
      return seen;
    };
    const readers = [read(), read()];
    for (let i = 0; i < 100; i += 1) await queue.put(i);
    queue.end();
    const [first, second] = (await Promise.all(readers)) as [number[], number[]];
    assert.deepEqual(
      [...first, ...second].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.ok(first.length > 0 && second.length > 0);
  });

  it('shows its state', () => {
    using queue = new Queue(5);
    queue.putNowait(1);
    assert.equal(inspect(queue), 'Queue { size: 1 of 5 }');
    using boundless = new Queue();
    assert.equal(inspect(boundless), 'Queue { size: 0 }');
  });

  it('refuses wrong arguments', async () => {
    assert.throws(() => new Queue('1' as unknown as number), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Queue(1.5), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    using queue = new Queue(1);
    await assert.rejects(queue.put(1, { timeout: 'x' as unknown as number }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => queue.getSync(5 as unknown as object), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(queue.size, 0);
  });
});
