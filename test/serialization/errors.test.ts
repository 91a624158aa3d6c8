import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { describe, it } from 'mocha';
import { BufferTooShortError, ClosedError, MultiprocessingError, registerErrorClass } from 'posix-multiprocessing';
import { deserialize, serialize } from '#internals';

function sent<T>(value: T): T {
  return deserialize(Buffer.concat(serialize(value))) as T;
}

function thrown(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('serialization of errors', () => {
  it('built-in errors keep class, message and stack', () => {
    for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const error = new type('what');
      const received = sent(error);
      assert.equal(received.constructor, type);
      assert.ok(types.isNativeError(received));
      assert.equal(received.message, 'what');
      assert.equal(received.stack, error.stack);
      assert.deepEqual(Object.getOwnPropertyNames(received).sort(), Object.getOwnPropertyNames(error).sort());
    }
  });

  it('a system error keeps code, errno, syscall and path', () => {
    const error = thrown(() => readFileSync('/nonexistent'));
    assert.deepEqual({ ...sent(error) }, { ...error });
    assert.equal((sent(error) as NodeJS.ErrnoException).code, 'ENOENT');
  });

  it('errors of Node, of assert and of the DOM keep class and code', () => {
    const typeError = thrown(() => Buffer.alloc('1' as unknown as number)) as NodeJS.ErrnoException;
    const received = sent(typeError);
    assert.equal(received.code, 'ERR_INVALID_ARG_TYPE');
    assert.ok(received instanceof TypeError);
    const assertion = thrown(() => assert.equal(1, 2));
    assert.ok(sent(assertion) instanceof assert.AssertionError);
    assert.equal((sent(assertion) as assert.AssertionError).expected, 2);
    const { reason } = AbortSignal.abort();
    assert.ok(sent(reason) instanceof DOMException);
    assert.equal(sent(reason).name, 'AbortError');
    assert.equal(sent(reason).message, reason.message);
  });

  it('the causes and the errors of an AggregateError arrive, cycles included', () => {
    const aggregate = new AggregateError([new TypeError('a'), 'b'], 'both', { cause: { code: 7 } });
    const received = sent(aggregate);
    assert.ok(received instanceof AggregateError);
    assert.ok(received.errors[0] instanceof TypeError);
    assert.deepEqual(received.cause, { code: 7 });
    assert.equal(Object.keys(received).length, 0);
    const loop = new Error('loop');
    loop.cause = loop;
    const looped = sent(loop);
    assert.equal(looped.cause, looped);
  });

  it('errors of the library keep class, code and properties', () => {
    const received = sent(new BufferTooShortError('short', new Uint8Array([1, 2])));
    assert.ok(received instanceof BufferTooShortError);
    assert.ok(received instanceof MultiprocessingError);
    assert.equal(received.code, 'ERR_MP_BUFFER_TOO_SHORT');
    assert.equal(received.name, 'BufferTooShortError');
    assert.deepEqual(received.bytes, new Uint8Array([1, 2]));
    assert.equal(sent(new ClosedError('c')).constructor, ClosedError);
  });

  it("a user's error arrives as what it extends, with its name and properties", () => {
    class HttpError extends RangeError {
      status = 404;
      override get name(): string {
        return 'HttpError';
      }
    }
    const received = sent(new HttpError('gone'));
    assert.equal(received.constructor, RangeError);
    assert.equal(received.name, 'HttpError');
    assert.equal(received.status, 404);
    assert.deepEqual(Object.keys(received), ['status']);
  });

  it('errors of registered classes keep their class', () => {
    class QuotaError extends Error {
      readonly left: number;
      constructor(left: number) {
        super(`${left} left`);
        this.left = left;
      }
      get isOver(): boolean {
        return this.left === 0;
      }
    }
    assert.equal(sent(new QuotaError(0)).constructor, Error);
    registerErrorClass(QuotaError);
    registerErrorClass(QuotaError);
    const received = sent(new QuotaError(0));
    assert.ok(received instanceof QuotaError);
    assert.ok(received.isOver);
    assert.equal(received.message, '0 left');
    assert.throws(() => registerErrorClass(Map as never), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => registerErrorClass(class extends Error {}), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(
      () => registerErrorClass(Object.defineProperty(class extends Error {}, 'name', { value: 'TypeError' })),
      {
        code: 'ERR_INVALID_ARG_VALUE',
      },
    );
  });

  it('errors inside values arrive whole', () => {
    const received = sent({ list: [Object.assign(new TypeError('x'), { code: 'C' })] });
    assert.ok(received.list[0] instanceof TypeError);
    assert.equal(received.list[0].code, 'C');
  });
});
