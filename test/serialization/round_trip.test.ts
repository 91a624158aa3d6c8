import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'mocha';
import { deserialize, encode, serialize } from '#internals';
import { randomValue, seededRandom } from '../support/random_values.js';

function sent<T>(value: T): T {
  return deserialize(Buffer.concat(serialize(value))) as T;
}

describe('serialization', () => {
  it('every primitive arrives as itself', () => {
    const primitives = [
      undefined, null, true, false, 0, -0, 1, -1, 127, 128, -129, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 0.1,
      Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, 0n, -1n, 2n ** 64n, -(2n ** 200n), '', 'ascii', 'é', '日本',
      '\ud800 lone', '😀', 'x'.repeat(25), 'é'.repeat(25), 'x'.repeat(100_000), 'ü'.repeat(100_000), '\0',
    ]; // biome-ignore format: a table
    for (const value of primitives) assert.ok(Object.is(sent(value), value), String(value).slice(0, 30));
  });

  it('objects and arrays arrive with their order, holes and named properties', () => {
    const match = /b(?<c>c)/.exec('abcd');
    const sparse: unknown[] = [1, , 3];
    const vast: unknown[] = [];
    vast[1e9] = 'end';
    const holey: unknown[] = new Array(2000).fill(1);
    delete holey[1000];
    const mixed = Object.assign([, 1], { x: 1 });
    for (const value of [{ b: 1, a: { 2: 'x', 1: 'y' } }, [], {}, [[[]]], sparse, vast, holey, mixed, match]) {
      assert.deepEqual(sent(value), structuredClone(value));
      assert.deepEqual(Object.keys(sent(value) ?? {}), Object.keys(value ?? {}));
    }
    assert.equal(0 in (sent([,]) as unknown[]), false);
  });

  it('a key named __proto__ is data', () => {
    const received = sent(JSON.parse('{"__proto__": {"admin": true}}')) as Record<string, unknown>;
    assert.equal(Object.getPrototypeOf(received), Object.prototype);
    assert.equal(received['admin'], undefined);
    assert.deepEqual(Object.keys(received), ['__proto__']);
  });

  it('built-in objects arrive as structured clone has them', () => {
    const values = [
      new Date(0), /a\/b/giu, new Map<unknown, unknown>([[{ k: 1 }, new Set([1, 'x'])]]), Object(1), Object('s'),
      Object(false), Object(3n), new ArrayBuffer(3), new Set([new Map()]),
    ]; // biome-ignore format: a table
    for (const value of values) assert.deepEqual(sent(value), structuredClone(value));
    assert.ok(Number.isNaN(sent(new Date(Number.NaN)).getTime()));
    const used = /x/g;
    used.lastIndex = 5;
    assert.equal(sent(used).lastIndex, 0);
  });

  it('a class instance arrives as its own enumerable properties', () => {
    class Point {
      x = 1;
      #hidden = 2;
      get sum(): number {
        return this.x + this.#hidden;
      }
    }
    const received = sent(new Point());
    assert.deepEqual(received, { x: 1 } as Point);
    assert.equal(Object.getPrototypeOf(received), Object.prototype);
  });

  it('getters are read, symbols and non-enumerable properties stay behind', () => {
    const value = Object.defineProperty({ get now() { return 5 }, [Symbol('s')]: 1 }, 'hidden', { value: 1 }); // biome-ignore format: short
    assert.deepEqual(sent(value), { now: 5 });
  });

  it('cycles and shared parts arrive as such', () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { a: shared, b: [shared], map: new Map([[shared, shared]]) };
    value['self'] = value;
    const received = sent(value) as { a: object; b: object[]; map: Map<object, object>; self: object };
    assert.equal(received.self, received);
    assert.equal(received.a, received.b[0]);
    assert.equal(received.map.get(received.a), received.a);
    const set = new Set<unknown>();
    set.add(set);
    assert.ok(!sent(set).has(sent(set)));
    const looped = sent(set);
    assert.ok(looped.has(looped));
  });

  it('typed arrays arrive with their type and bytes, in memory of their own', () => {
    for (const type of [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float32Array, Float64Array]) {
      const value = new type([1, 2, 3]);
      const received = sent(value);
      assert.deepEqual(received, value);
      assert.equal(received.buffer.byteLength, value.byteLength);
    }
    assert.deepEqual(sent(new BigInt64Array([1n, -1n])), new BigInt64Array([1n, -1n]));
    assert.deepEqual(sent(new DataView(new ArrayBuffer(3))), new DataView(new ArrayBuffer(3)));
  });

  it('views of a SharedArrayBuffer travel by value, in memory that is not shared', () => {
    for (const size of [4, 100_000]) {
      const shared = new Uint8Array(new SharedArrayBuffer(size)).fill(7);
      for (const value of [shared, shared.subarray(1, 3), Buffer.from(shared.buffer)]) {
        const received = sent(value);
        assert.deepEqual([...received], [...value]);
        assert.equal(Object.getPrototypeOf(received), Object.getPrototypeOf(value));
        assert.ok(received.buffer instanceof ArrayBuffer);
      }
    }
  });

  it('named properties of arrays travel, however long the array', () => {
    for (const length of [0, 10, 255, 256, 1024, 1025, 5000]) {
      const plain: unknown[] = new Array(length).fill(1);
      assert.deepEqual(sent(plain), plain);
      const named = Object.assign([...plain], { index: 3, text: 'x'.repeat(100), nested: { deep: [1] } });
      assert.deepEqual(sent(named), named);
      assert.deepEqual(Object.keys(sent(named)).slice(-3), ['index', 'text', 'nested']);
      const marked = Object.assign([...plain], { [Symbol('s')]: 1 });
      assert.deepEqual(sent(marked), plain);
      const holey = [...plain, , 1];
      assert.deepEqual(sent(holey), holey);
      assert.equal(length in sent(holey), false);
    }
  });

  it('an array that is called plain is not looked through for named properties; others are, in it too', () => {
    const named = Object.assign([1], { index: 3 });
    const outer = Object.assign([named, 2], { index: 4 });
    const written = encode(outer, 'value', undefined, [outer]).parts();
    assert.deepEqual(deserialize(Buffer.concat(written)), [named, 2]);
  });

  it('a view of a part carries that part only; views of the whole share their ArrayBuffer', () => {
    const buffer = new ArrayBuffer(1024);
    const part = sent(new Uint8Array(buffer, 8, 4));
    assert.equal(part.buffer.byteLength, 4);
    const both = sent({ buffer, bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) });
    assert.equal(both.bytes.buffer, both.buffer);
    assert.equal(both.words.buffer, both.buffer);
  });

  it('a resizable ArrayBuffer stays resizable', () => {
    const value = Reflect.construct(ArrayBuffer, [4, { maxByteLength: 16 }]) as ArrayBuffer & { maxByteLength: number };
    assert.equal(sent(value).maxByteLength, 16);
    assert.equal(sent(value).byteLength, 4);
  });

  it('a Buffer arrives as a Buffer, nested or not, small or large', () => {
    for (const size of [0, 1, 100, 70_000, 1_000_000]) {
      const buffer = Buffer.alloc(size, 'ab');
      assert.ok(Buffer.isBuffer(sent(buffer)));
      assert.deepEqual(sent({ inner: [buffer, 'after'] }), { inner: [buffer, 'after'] });
    }
  });

  it('what arrives shares no memory with the message', () => {
    for (const value of [Buffer.from('abc'), new Uint8Array(3), { deep: Buffer.from('abc') }]) {
      const bytes = Buffer.concat(serialize(value));
      const received = deserialize(bytes);
      bytes.fill(0xff);
      assert.deepEqual(received, value);
    }
  });

  it('a message that is given away lends its memory to the Buffer that it is', () => {
    const bytes = Buffer.concat(serialize(Buffer.alloc(1000)));
    assert.equal((deserialize(bytes, { owned: true }) as Buffer).buffer, bytes.buffer);
  });

  it('large binary parts are handed on without a copy', () => {
    const large = Buffer.alloc(1_000_000);
    const parts = serialize({ before: 1, large, after: 2 });
    assert.ok(parts.some((part) => part.buffer === large.buffer && part.length === large.length));
  });

  it('random values arrive equal to their structured clones', () => {
    const seed = randomInt(2 ** 32);
    const random = seededRandom(seed);
    for (let round = 0; round < 2000; round += 1) {
      const value = randomValue(random, 4);
      assert.deepEqual(sent(value), structuredClone(value), `seed ${seed}, round ${round}`);
    }
  });
});
