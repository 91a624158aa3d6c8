/** Large values and how they are sent through a queue, for the tests of those that stay in it. */

import assert from 'node:assert/strict';
import type { Queue } from 'posix-multiprocessing';

export const MIB: number = 2 ** 20;

export function filled(size: number, byte: number): Buffer {
  return Buffer.alloc(size, byte);
}

export function assertFilled(bytes: Uint8Array, byte: number): void {
  assert.ok(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).equals(filled(bytes.length, byte)), `${byte}`);
}

/** One value through the queue. */
export function through<T>(queue: Queue<T>, value: T): T {
  queue.putSync(value);
  return queue.getSync();
}
