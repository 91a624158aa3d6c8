/** The ring of a queue: how large, and values in and out of it. */

import { systemError } from '../internal/system_error.js';
import { native } from '../native/load.js';
import { PUT_DONE, PUT_FULL, RING_ENDED, type RingObject, TAKE_EMPTY } from '../native/ring.js';
import { RLIMIT_FSIZE } from '../posix/numbers.js';
import { deserialize } from '../serialization/deserialize.js';

/** Bytes of address space to try for; memory is taken for what is in the queue only. */
const CAPACITIES: readonly number[] = [16 * 2 ** 30, 2 ** 30, 64 * 2 ** 20];
/** A ring's header, and what its capacity is a multiple of. */
const HEADER = 4096;
const PAGE = 4096;

/** Messages up to this size are read from one place, longer ones get memory of their own. */
const STAGING = 64 * 1024;
let staging: Uint8Array | undefined;

/** A full queue, an empty one, and one that was ended. */
export const FULL: unique symbol = Symbol('full');
export const EMPTY: unique symbol = Symbol('empty');
export const ENDED: unique symbol = Symbol('ended');

/**
 * The largest ring that this process may have. A file beyond RLIMIT_FSIZE would be answered by the signal SIGXFSZ; one
 * beyond RLIMIT_AS or the address space left by an error.
 */
export function makeRing(maxCount: number): RingObject {
  const largest = native.getrlimit(RLIMIT_FSIZE).soft - HEADER;
  const capacities = CAPACITIES.map((capacity) => Math.min(capacity, roundDown(largest, PAGE)));
  if (largest < PAGE) throw systemError('EFBIG', 'ftruncate');
  for (const capacity of capacities.slice(0, -1)) {
    try {
      return new native.Ring(capacity, maxCount);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOMEM') throw error;
    }
  }
  return new native.Ring(capacities.at(-1) as number, maxCount);
}

function roundDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

/** The next value. `ask`: to be woken when there is one. */
export function takeValue(ring: RingObject, ask: boolean): unknown {
  const buffer = staging ?? new Uint8Array(STAGING);
  staging = undefined; // a codec might take from another queue meanwhile
  try {
    const taken = ring.take(buffer, ask);
    if (typeof taken !== 'number') return deserialize(taken, { owned: true });
    if (taken === TAKE_EMPTY) return EMPTY;
    if (taken === RING_ENDED) return ENDED;
    return deserialize(buffer.subarray(0, taken));
  } finally {
    staging = buffer;
  }
}

/** `ask`: to be woken when there is room. */
export function putParts(
  ring: RingObject,
  parts: readonly Uint8Array[],
  ask: boolean,
): typeof FULL | typeof ENDED | undefined {
  const outcome = ring.put(parts, ask);
  if (outcome === PUT_DONE) return undefined;
  return outcome === PUT_FULL ? FULL : ENDED;
}
