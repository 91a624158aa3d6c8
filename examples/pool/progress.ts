/**
 * Primes are counted in parallel, and it is told how far that is.
 *   node out/examples/pool/progress.js
 */

import { Pool } from 'posix-multiprocessing';

function countPrimes([from, to]: [number, number]): number {
  let count = 0;
  for (let number = Math.max(2, from); number < to; number += 1) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= number && isPrime; factor += 1) isPrime = number % factor !== 0;
    if (isPrime) count += 1;
  }
  return count;
}

const ranges = Array.from({ length: 20 }, (_, index): [number, number] => [index * 5_000, (index + 1) * 5_000]);

await using pool = new Pool(2);
const counts = await pool.map(countPrimes, ranges, {
  chunkSize: 1,
  onProgress: (done, total) => console.log(`${done} of ${total}`),
});
console.log(`${counts.reduce((sum, count) => sum + count, 0)} primes below 100000`);
