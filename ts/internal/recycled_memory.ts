/**
 * Memory for large messages, used again once nobody refers to it. What malloc(3) gives a process that receives them is mapped
 * anew for nearly each of them, and page faults take several times as long as the copy.
 */

import { native } from '../native/load.js';
import { perProcess } from './per_process.js';

/** Bytes; for less malloc(3) seldom asks the system. */
const LEAST: number = 32 * 1024;

/** Milliseconds without a large message after which the system gets the memory that nobody refers to. */
const IDLE = 2000;

/** The parent's timer does not run in a child. */
const trimming = perProcess<NodeJS.Timeout | undefined>(() => undefined);

function trimLater(): void {
  if (trimming.value !== undefined) {
    trimming.value.refresh();
    return;
  }
  trimming.value = setTimeout(() => {
    trimming.value = undefined;
    native.trimRecycledMemory();
  }, IDLE).unref();
}

/** As Buffer.allocUnsafeSlow(): in an ArrayBuffer of its own, with whatever is in it. @throws RangeError. */
export function recycledBuffer(size: number): Buffer<ArrayBuffer> {
  const memory = size < LEAST ? undefined : native.recycledMemory(size);
  if (memory === undefined) return Buffer.allocUnsafeSlow(size);
  trimLater();
  return Buffer.from(memory);
}

/** As Buffer.from(): the same bytes in other memory. */
export function recycledCopy(bytes: Uint8Array): Buffer {
  if (bytes.length < LEAST) return Buffer.from(bytes);
  const copy = recycledBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}
