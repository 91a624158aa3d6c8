/** Large Buffers stay in the queue's memory until their receiver has forgotten them. */

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Queue } from 'posix-multiprocessing';
import { collectGarbage, memoryOfQueues } from '../support/memory.js';
import { waitFor } from '../support/watchdog.js';
import { assertFilled, filled, MIB, through } from './kept_values.js';

describe('large values that were received', () => {
  it('are the receiver’s own, as many as it keeps', () => {
    using queue = new Queue<Buffer>();
    const kept = Array.from({ length: 300 }, (_, i) => through(queue, filled(MIB / 4, i % 251)));
    for (const [i, value] of kept.entries()) assertFilled(value, i % 251);
    for (const value of kept) value.fill(255);
    for (let i = 0; i < 20; i += 1) assertFilled(through(queue, filled(MIB, i)), i);
    for (const value of kept) assertFilled(value, 255);
  });

  it('leave room for loans', () => {
    using queue = new Queue<Buffer>();
    const kept = Array.from({ length: 200 }, () => through(queue, filled(MIB / 4, 1)));
    const loans = Array.from({ length: 128 }, () => queue.lendSync(1, { timeout: 0 }));
    for (const loan of loans) loan.giveBack();
    assert.equal(kept.length, 200);
  });

  it('give their place to the next ones, in the middle of a loop that blocks', () => {
    using queue = new Queue<Buffer>();
    const value = filled(MIB, 3);
    for (let i = 0; i < 1000; i += 1) through(queue, value);
    assert.ok(memoryOfQueues() < 200_000, `${memoryOfQueues()} kB`);
  });

  it('that are texts or typed arrays leave the queue at once', async () => {
    using queue = new Queue();
    const before = memoryOfQueues();
    for (const value of ['x'.repeat(MIB), new Float64Array(MIB).fill(1.5), new Uint8Array(MIB).fill(7)]) {
      assert.deepEqual(through(queue, value), value);
    }
    await waitFor('the memory to be given back', () => memoryOfQueues() < before + 2000);
  });

  it('may be transferred, and outlive the one that was received', async () => {
    using queue = new Queue<Buffer>();
    const transferred = ((): ArrayBuffer => {
      const value = through(queue, filled(MIB, 4));
      const memory = value.buffer as ArrayBuffer;
      const moved = structuredClone(memory, { transfer: [memory] });
      assert.equal(value.length, 0);
      return moved;
    })();
    await collectGarbage();
    for (let i = 0; i < 40; i += 1) through(queue, filled(MIB, 5));
    assertFilled(new Uint8Array(transferred, transferred.byteLength - MIB), 4);
  });
});
