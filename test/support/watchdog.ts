/** Waiting for something that ought to happen, without ever sleeping for it or hanging when it doesn't. */

import { setTimeout as delay } from 'node:timers/promises';
import { describeDescendants } from './processes.js';

/** A generous bound, milliseconds: it only decides how long a broken test takes. */
export const PATIENCE = 60_000;

/**
 * Resolves with the first value of `condition` that is not undefined or false, asking every 5 ms. After `timeout`
 * milliseconds it rejects with what all children of this process are doing.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeout: number = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeout} ms in vain: ${what}\n${describeDescendants(process.pid)}`);
    }
    await delay(5);
  }
}
