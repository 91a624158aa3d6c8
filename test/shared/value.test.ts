import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { type ElementType, Lock, Pipe, Process, Queue, Value } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { descriptorsOf } from '../support/processes.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const closed = { name: 'ClosedError', code: 'ERR_MP_CLOSED' };

/** Type, the smallest and the largest that it holds. */
const integers: readonly [ElementType, number | bigint, number | bigint][] = [
  ['i8', -128, 127],
  ['u8', 0, 255],
  ['i16', -32768, 32767],
  ['u16', 0, 65535],
  ['i32', -2147483648, 2147483647],
  ['u32', 0, 4294967295],
  ['i64', -(2n ** 63n), 2n ** 63n - 1n],
  ['u64', 0n, 2n ** 64n - 1n],
];

/** A Value of any type, as the tests by table use it. */
type AnyValue = Omit<Value, 'add' | 'compareExchange'> & {
  add(amount: unknown): unknown;
  compareExchange(e: unknown, r: unknown): unknown;
};

function withValue(type: ElementType, initial: unknown, body: (value: AnyValue) => void): void {
  using value = new Value(type, initial as number, { lock: false }) as unknown as AnyValue;
  body(value);
}

describe('Value', () => {
  it('holds every number of its type and no other', () => {
    for (const [type, least, most] of integers) {
      const one = typeof least === 'bigint' ? 1n : 1;
      withValue(type, undefined, (value) => {
        assert.equal(value.value, typeof least === 'bigint' ? 0n : 0);
        for (const number of [least, most]) {
          value.value = number;
          assert.equal(value.value, number);
        }
        for (const number of [(least as number) - (one as number), (most as number) + (one as number)]) {
          assert.throws(() => (value.value = number), outOfRange, type);
          assert.throws(() => new Value(type, number, { lock: false }), outOfRange);
        }
        assert.throws(() => (value.value = typeof least === 'bigint' ? 1 : 1n), wrongType);
        assert.throws(() => (value.value = '1' as unknown as number), wrongType);
        assert.equal(value.value, most);
      });
    }
    withValue('i32', 1, (value) => {
      for (const number of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(() => (value.value = number), outOfRange);
      }
    });
  });

  it('holds floats: f32 rounds, and refuses what would become infinite', () => {
    for (const type of ['f32', 'f64'] as const) {
      withValue(type, 0.5, (value) => {
        for (const number of [Number.NaN, Number.NEGATIVE_INFINITY, -0, 1.5]) {
          value.value = number;
          assert.ok(Object.is(value.value, number));
        }
      });
    }
    withValue('f32', 0.1, (value) => {
      assert.equal(value.value, Math.fround(0.1));
      assert.throws(() => (value.value = 1e39), outOfRange);
    });
    withValue('f64', 1e300, (value) => assert.equal(value.value, 1e300));
  });

  it('adds and compares in one step; a sum out of range changes nothing', () => {
    for (const [type, least, most] of integers) {
      const big = typeof least === 'bigint';
      const [one, minusOne] = big ? [1n, -1n] : [1, -1];
      withValue(type, most, (value) => {
        assert.throws(() => value.add(one), outOfRange, type);
        assert.equal(value.value, most);
        assert.equal(value.add(minusOne), most);
        assert.equal(value.add(one), (most as number) - (one as number));
        assert.equal(value.compareExchange(least, one), most);
        assert.equal(value.compareExchange(most, least), most);
        assert.equal(value.value, least);
        assert.throws(() => value.add(minusOne), outOfRange);
        assert.throws(() => value.add(big ? 1 : 1n), wrongType);
        assert.throws(() => value.add(undefined), wrongType);
        assert.throws(() => value.compareExchange(least, '1'), wrongType);
      });
    }
    for (const type of ['f32', 'f64'] as const) {
      withValue(type, 1.5, (value) => {
        assert.equal(value.add(0.25), 1.5);
        assert.equal(value.value, 1.75);
        assert.equal(value.compareExchange(1, 2), 1.75);
        assert.equal(value.compareExchange(1.75, Number.NaN), 1.75);
        assert.ok(Number.isNaN(value.compareExchange(Number.NaN, 3)));
        assert.equal(value.value, 3);
      });
    }
    withValue('i32', 0, (value) => assert.throws(() => value.add(0.5), outOfRange));
  });

  it('counts right however many processes add, integers and floats', async () => {
    using count = new Value('i32');
    using wide = new Value('u64');
    using sum = new Value('f64');
    using guarded = new Value('i32');
    const children = [1, 2, 3].map(
      () =>
        new Process({
          target: () => {
            for (let round = 0; round < 2000; round += 1) {
              count.add(1);
              wide.add(2n);
              sum.add(0.5);
              guarded.useSync((held) => {
                held.value += 1;
              });
            }
          },
        }),
    );
    for (const child of children) await child.start();
    for (const child of children) {
      await child.join();
      assert.equal(child.exitCode, 0);
      child.close();
    }
    assert.deepEqual([count.value, wide.value, sum.value, guarded.value], [6000, 12000n, 3000, 6000]);
  });

  it('has a lock of its own, the one that is given, or none', async () => {
    using lock = new Lock();
    using own = new Value('i32', 1);
    using shared = new Value('i32', 2, { lock });
    using bare = new Value('i32', 3, { lock: false });
    assert.equal(shared.lock, lock);
    assert.equal(bare.lock, undefined);
    assert.ok(own.lock instanceof Lock);
    assert.equal(await own.use((value) => [value.value, own.lock?.locked, lock.locked].join()), '1,true,false');
    assert.equal(
      shared.useSync((value) => [value.value, lock.locked].join()),
      '2,true',
    );
    await assert.rejects(
      bare.use(() => 1),
      { code: 'ERR_MP_INVALID_STATE' },
    );
    assert.throws(() => bare.useSync(() => 1), { code: 'ERR_MP_INVALID_STATE' });
    await assert.rejects(
      own.use(() => {
        throw new Error('on purpose');
      }),
      /on purpose/,
    );
    assert.equal(own.lock.locked, false);
    assert.equal(await own.use((held) => held.use(() => 're-entered')), 're-entered');
    shared.close();
    assert.equal(lock.locked, false);
  });

  it('is refused with wrong arguments before anything is made', () => {
    const before = descriptorsOf('self').size;
    for (const type of ['i', 'int', 'toString', '']) {
      assert.throws(() => new Value(type as 'i32'), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
    assert.throws(() => new Value(undefined as unknown as 'i32'), wrongType);
    assert.throws(() => new Value('i64', 1 as unknown as bigint), wrongType);
    assert.throws(() => new Value('i32', 0, { lock: true as unknown as false }), wrongType);
    assert.throws(() => new Value('i32', 0, 5 as unknown as object), wrongType);
    assert.equal(descriptorsOf('self').size, before);
  });

  it('is closed for good, and says so', async () => {
    const value = new Value('i32', 7);
    const other = new Value('i32', 8);
    assert.equal(inspect(value), 'Value i32 <7>');
    value.close();
    value.close();
    value[Symbol.dispose]();
    assert.equal(inspect(value), 'Value i32 <closed>');
    assert.throws(() => value.value, closed);
    assert.throws(() => (value.value = 1), closed);
    assert.throws(() => value.add(1), closed);
    assert.throws(() => value.compareExchange(1, 1), closed);
    assert.throws(() => value.useSync(() => 1), closed);
    await assert.rejects(
      value.use(() => 1),
      closed,
    );
    assert.equal(other.value, 8);
    other.close();
  });

  it('costs no descriptor and no mapping of its own', async () => {
    const before = descriptorsOf('self').size;
    const all = Array.from({ length: 100_000 }, (_, index) => new Value('i32', index));
    assert.ok(descriptorsOf('self').size <= before + 20);
    const sum = await inChild(() => {
      let total = 0;
      for (const value of all) total += value.add(1);
      return total;
    });
    assert.equal(sum, (100_000 * 99_999) / 2);
    assert.ok(all.every((value, index) => value.value === index + 1));
    for (const value of all) value.close();
    assert.equal(descriptorsOf('self').size, before);
  });

  it('travels in messages, hundreds in one, and keeps its lock out of it when it has none', async () => {
    const [here, there] = Pipe<Value<'f64'>[]>();
    const queue = new Queue<Value<'f64'>>();
    const child = new Process({
      target: async () => {
        const values = await there.recv();
        for (const value of values) value.add(1);
        const single = await queue.get();
        single.value = values.length;
        await there.send(values.slice(0, 2));
      },
    });
    await child.start();
    const values = Array.from({ length: 600 }, (_, index) => new Value('f64', index, { lock: false }));
    using late = new Value('f64', 0, { lock: false });
    await here.send(values);
    await queue.put(late);
    const back = await here.recv();
    assert.deepEqual(
      back.map((value) => value.value),
      [1, 2],
    );
    back[0]?.add(1);
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    assert.equal(values[0]?.value, 2);
    assert.ok(values.every((value, index) => value.value === index + (index === 0 ? 2 : 1)));
    assert.equal(late.value, 600);
    for (const value of [...values, ...back]) value.close();
    await assert.rejects(here.send(back), { code: 'ERR_MP_SERIALIZE', message: /is a closed Value/ });
    queue.close();
    here.close();
    there.close();
  });
});
