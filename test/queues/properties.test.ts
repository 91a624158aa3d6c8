import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import { Queue } from 'posix-multiprocessing';

type Step = { put: number } | 'get' | 'lend';

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 15_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 2_000_000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: size.map((put) => ({ put })) },
  { weight: 3, arbitrary: fc.constant('get' as const) },
  { weight: 1, arbitrary: fc.constant('lend' as const) },
);

/** A value whose content its number decides. */
function numbered(number: number, length: number): Buffer {
  return Buffer.alloc(length, number % 251);
}

describe('Queue, by properties', () => {
  it('is a list that is taken from the front, whatever the sizes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 0, max: 8 }), (steps, maxSize) => {
        using queue = new Queue<Buffer>(maxSize);
        const model: Buffer[] = [];
        for (const [number, each] of steps.entries()) {
          const isFull = maxSize > 0 && model.length === maxSize;
          if (each === 'get') {
            if (model.length === 0) assert.throws(() => queue.getNowait(), { code: 'ERR_MP_QUEUE_EMPTY' });
            else assert.ok(queue.getNowait().equals(model.shift() as Buffer));
          } else if (each === 'lend') {
            queue.lendSync(number * 1000).giveBack();
          } else if (isFull) {
            assert.throws(() => queue.putNowait(numbered(number, each.put)), { code: 'ERR_MP_QUEUE_FULL' });
          } else {
            queue.putNowait(numbered(number, each.put));
            model.push(numbered(number, each.put));
          }
          assert.equal(queue.size, model.length);
          assert.equal(queue.isEmpty(), model.length === 0);
          assert.equal(queue.isFull(), maxSize > 0 && model.length === maxSize);
        }
        for (const expected of model) assert.ok(queue.getSync().equals(expected));
      }),
      { numRuns: 60 },
    );
  });

  it('of strings, every one comes back as it was', () => {
    using queue = new Queue<string>();
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (texts) => {
        for (const text of texts) queue.putSync(text);
        for (const text of texts) assert.equal(queue.getSync(), text);
      }),
    );
  });
});
