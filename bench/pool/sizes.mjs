// How much one round is, and the CPU-bound task.
export const sizes = { map: 1_000_000, chunk1: 30_000, apply: 2_000, buffer: 200, cpu: 16, primes: 200_000 };

/** How many primes there are below n. */
export function primes(n) {
  let count = 0;
  for (let candidate = 2; candidate < n; candidate += 1) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) {
      if (candidate % factor === 0) {
        isPrime = false;
        break;
      }
    }
    if (isPrime) count += 1;
  }
  return count;
}
