/** Randomness of a child's own: what Node and V8 have drawn ahead must not be drawn by parent and siblings too. */

import type { ForkBinding } from '../native/fork.js';
import { readRandomCaches } from './internals.js';

/** True once somebody has loaded the generators of node:crypto that draw ahead. */
function cryptoDrawsAhead(): boolean {
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  return moduleLoadList.includes('NativeModule internal/crypto/random');
}

/** In the parent, before a fork: finds the caches while this is still cheap to do once for all children. */
export function prepareRandomness(): void {
  if (cryptoDrawsAhead()) readRandomCaches();
}

/** In a child: Math.random gets a generator of its own, crypto's caches are filled anew. */
export function renewRandomness(binding: Pick<ForkBinding, 'fillRandom'>, math: { random: () => number }): void {
  math.random = seededRandom((seed) => binding.fillRandom(new Uint8Array(seed.buffer)));
  if (!cryptoDrawsAhead()) return;
  for (const { buffer, byteOffset, byteLength } of readRandomCaches()) {
    binding.fillRandom(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand) with 128 bits of seed from the kernel, drawn at the first call. V8's own state
 * can't be reseeded, so siblings would draw the same numbers.
 */
function seededRandom(fill: (seed: Uint32Array<ArrayBuffer>) => void): () => number {
  let a = 0;
  let b = 0;
  let c = 0;
  let counter = 0;
  let seeded = false;
  const seed = (): void => {
    const state = new Uint32Array(4);
    fill(state);
    [a = 0, b = 0, c = 0, counter = 0] = state;
    seeded = true;
  };
  const next = (): number => {
    const output = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + output;
    c |= 0;
    return output >>> 0;
  };
  // 53 bits, as V8's has: 27 above, 26 below.
  const random = (): number => {
    if (!seeded) seed();
    return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
  };
  Object.defineProperty(random, 'name', { value: 'random' });
  return random;
}
