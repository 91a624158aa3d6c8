import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { type ElementType, Lock, Pipe, Process, SharedArray, Value } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { descriptorsOf } from '../support/processes.js';
import { waitFor } from '../support/watchdog.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const closed = { name: 'ClosedError', code: 'ERR_MP_CLOSED' };

const views: Readonly<Record<ElementType, new (values: never) => unknown>> = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

describe('SharedArray', () => {
  it('is a plain typed array of its type, zeros or the values given', () => {
    for (const [type, View] of Object.entries(views) as [ElementType, (typeof views)['i8']][]) {
      const big = type.endsWith('64') && !type.startsWith('f');
      using zeros = new SharedArray(type, 5, { lock: false });
      assert.ok(zeros.array instanceof View);
      assert.deepEqual(zeros.array, new View((big ? [0n, 0n, 0n, 0n, 0n] : [0, 0, 0, 0, 0]) as never));
      const values = big ? [1n, 2n, 3n] : [1, 2, 3];
      using filled = new SharedArray(type, new Set<number | bigint>(values), { lock: false });
      assert.deepEqual(filled.array, new View(values as never));
      assert.equal(filled.length, 3);
    }
  });

  it('is the same memory in forked children, small and large', async () => {
    for (const length of [3, 2_000_000]) {
      using array = new SharedArray('f64', length);
      array.array[length - 1] = 4;
      const seen = await inChild(() => {
        array.array[0] = 1.5;
        return array.useSync((held) => held.array[length - 1]);
      });
      assert.deepEqual([seen, array.array[0]], [4, 1.5]);
    }
  });

  it('does not touch its neighbours', () => {
    const all = Array.from({ length: 300 }, () => new SharedArray('u8', 4096, { lock: false }));
    for (const [index, { array }] of all.entries()) array.fill(index);
    assert.ok(all.every(({ array }, index) => array.every((byte) => byte === index % 256)));
    for (const array of all) array.close();
  });

  it('adds to and exchanges single elements atomically', async () => {
    using array = new SharedArray('i32', [5, 6, 7], { lock: false });
    assert.equal(array.add(2, -1), 7);
    assert.equal(array.compareExchange(0, 5, 50), 5);
    assert.equal(array.compareExchange(0, 5, 51), 50);
    assert.deepEqual([...array.array], [50, 6, 6]);
    for (const index of [-1, 3, 0.5]) assert.throws(() => array.add(index, 1), outOfRange);
    assert.throws(() => array.add('0' as unknown as number, 1), wrongType);
    using floats = new SharedArray('f32', 2, { lock: false });
    const add = (): void => {
      for (let round = 0; round < 1000; round += 1) floats.add(1, 1);
    };
    const children = [1, 2].map(() => new Process({ target: add }));
    for (const child of children) await child.start();
    for (const child of children) {
      await child.join();
      child.close();
    }
    assert.deepEqual([...floats.array], [0, 2000]);
  });

  it('has a lock of its own, the one that is given, or none', async () => {
    using lock = new Lock();
    using own = new SharedArray('i8', 1);
    using shared = new SharedArray('i8', 1, { lock });
    using bare = new SharedArray('i8', 1, { lock: false });
    assert.equal(await own.use(({ lock: held }) => held?.locked), true);
    assert.equal(
      shared.useSync(() => lock.locked),
      true,
    );
    assert.equal(bare.lock, undefined);
    await assert.rejects(
      bare.use(() => 1),
      { code: 'ERR_MP_INVALID_STATE' },
    );
  });

  it('refuses wrong sizes, values and options before anything is made', () => {
    const before = descriptorsOf('self').size;
    for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.throws(() => new SharedArray('i32', size), outOfRange, String(size));
    }
    for (const source of [undefined, null, {}, '12', true]) {
      assert.throws(() => new SharedArray('i32', source as number), wrongType);
    }
    assert.throws(() => new SharedArray('u8', [1, 256]), { ...outOfRange, message: /values\[1\]/ });
    assert.throws(() => new SharedArray('i64', [1]), wrongType);
    assert.throws(() => new SharedArray('i33' as 'i32', 1), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new SharedArray('i32', 1, { lock: {} as unknown as false }), wrongType);
    assert.equal(descriptorsOf('self').size, before);
  });

  it('may be empty', () => {
    using array = new SharedArray('f64', 0, { lock: false });
    assert.deepEqual([array.length, array.array.length], [0, 0]);
  });

  it('has length 0 in every view after close', () => {
    const array = new SharedArray('u16', [1, 2]);
    const bytes = new Uint8Array(array.array.buffer);
    assert.equal(inspect(array), 'SharedArray u16 <2 elements>');
    array.close();
    array.close();
    assert.deepEqual([array.array.length, bytes.length, array.length], [0, 0, 2]);
    assert.equal(inspect(array), 'SharedArray u16 <closed>');
    assert.throws(() => array.add(0, 1), closed);
    assert.throws(() => array.useSync(() => 1), closed);
  });

  it('travels in messages', async () => {
    const [here, there] = Pipe<SharedArray<'i16'>>();
    const child = new Process({
      target: async () => {
        const received = await there.recv();
        received.array[1] = received.length;
      },
    });
    await child.start();
    using array = new SharedArray('i16', 10, { lock: false });
    await here.send(array);
    await child.join();
    child.close();
    assert.equal(array.array[1], 10);
    here.close();
    there.close();
  });

  it('is given back when it is dropped without being closed, and its array no more used', async () => {
    const before = descriptorsOf('self').size;
    const { array } = new SharedArray('u8', [42], { lock: false });
    void new Value('i32', 1, { lock: false });
    await waitFor('both are collected', () => {
      globalThis.gc?.();
      return descriptorsOf('self').size === before;
    });
    assert.equal(array[0], 42);
  });
});
