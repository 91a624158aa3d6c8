import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'mocha';
import { SerializationError } from 'posix-multiprocessing';
import { CannotTravel, deserialize, registerCodec, registerHomebody, serialize } from '#internals';
import { randomValue, seededRandom } from '../support/random_values.js';

function refusal(value: unknown, root?: string): string {
  try {
    serialize(value, root);
  } catch (error) {
    assert.ok(error instanceof SerializationError);
    assert.equal(error.code, 'ERR_MP_SERIALIZE');
    return error.message;
  }
  throw new Error('it was not refused');
}

describe('serialization refuses', () => {
  it('functions and symbols, with the path to them', () => {
    const onClick = (): void => {};
    assert.equal(refusal([{ handler: { onClick } }], 'args'), 'args[0].handler.onClick is a function');
    assert.equal(refusal(onClick), 'value is a function');
    assert.equal(refusal({ 'a b': [1, Symbol('s')] }, 'item'), "item['a b'][1] is a symbol");
    assert.equal(refusal(new Map([['k', { f: onClick }]])), "value.get('k').f is a function");
    assert.equal(refusal(new Map([[onClick, 1]])), 'value.has([Function: onClick]) is a function');
    assert.equal(refusal(new Set([{ f: onClick }])), 'value.has({ f: [Function: onClick] }).f is a function');
    assert.equal(refusal(new Error('e', { cause: { f: onClick } })), 'value.cause.f is a function');
    assert.equal(refusal([, onClick]), "value['1'] is a function");
  });

  it('built-in objects that have no data of their own', () => {
    assert.equal(refusal({ p: Promise.resolve() }), 'value.p is a Promise');
    assert.equal(refusal(new WeakMap()), 'value is a WeakMap');
    assert.equal(refusal(new URL('http://localhost')), 'value is a URL');
    assert.equal(refusal(new AbortController().signal), 'value is an AbortSignal');
    assert.equal(refusal([new Map().entries()]), 'value[0] is a Map Iterator');
    assert.equal(refusal((function* () {})()), 'value is a Generator');
    assert.equal(refusal(new SharedArrayBuffer(1)), 'value is a SharedArrayBuffer');
  });

  it('a value that is nested too deeply', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 1e6; depth += 1) value = [value];
    assert.equal(refusal(value), 'value is nested too deeply');
  });

  it('errors of getters come through', () => {
    const value = {
      get bad(): never {
        throw new TypeError('mine');
      },
    };
    assert.throws(() => serialize(value), { name: 'TypeError', message: 'mine' });
  });

  it('classes that say so; others travel by their codec', () => {
    class Handle {}
    class Temperature {
      readonly celsius: number;
      constructor(celsius: number) {
        this.celsius = celsius;
      }
    }
    registerHomebody('Handle', Handle);
    registerCodec(Temperature, {
      name: 'test:Temperature',
      pack: (object) => {
        const { celsius } = object as Temperature;
        if (Number.isNaN(celsius)) throw new CannotTravel('is no temperature');
        return { celsius };
      },
      unpack: (packed) => new Temperature((packed as { celsius: number }).celsius),
    });
    assert.match(refusal({ h: new Handle() }), /^value\.h is a Handle: a forked child reaches it by a closure/);
    assert.equal(refusal([new Temperature(Number.NaN)]), 'value[0] is no temperature');
    const warm = new Temperature(20);
    const [first, second] = deserialize(Buffer.concat(serialize([warm, warm]))) as Temperature[];
    assert.ok(first instanceof Temperature);
    assert.equal(first.celsius, 20);
    assert.equal(first, second);
  });
});

describe('deserialize', () => {
  it('refuses bytes that are cut off', () => {
    const value = {
      text: 'text',
      list: [1, 2.5, 10n, new Map([[1, Buffer.from('x')]])],
      error: new Error('e'),
      date: new Date(),
    };
    const bytes = Buffer.concat(serialize(value));
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => deserialize(bytes.subarray(0, length)), { code: 'ERR_MP_SERIALIZE' });
    }
    assert.throws(() => deserialize(Buffer.concat([bytes, bytes])), { code: 'ERR_MP_SERIALIZE' });
  });

  it('survives random damage: a value or an error, never more memory than the bytes allow', () => {
    const seed = randomInt(2 ** 32);
    const random = seededRandom(seed);
    for (let round = 0; round < 5000; round += 1) {
      const bytes = Buffer.concat(serialize(randomValue(random, 3)));
      for (let hit = 0; hit < 3; hit += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        deserialize(bytes);
      } catch (error) {
        assert.ok(error instanceof SerializationError, `seed ${seed}, round ${round}: ${String(error)}`);
      }
    }
  });
});
