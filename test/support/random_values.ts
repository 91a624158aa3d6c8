/** Random values that structured clone carries, from a seed that a failing test prints. */

export type Random = () => number;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in [0, below). */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function randomText(random: Random): string {
  const top = [0x7f, 0xff, 0xffff][below(random, 3)] as number;
  return Array.from({ length: below(random, 40) }, () => String.fromCharCode(below(random, top + 1))).join('');
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: below(random, 50) }, () => below(random, 256));
}

const leaves: readonly ((random: Random) => unknown)[] = [
  () => undefined,
  () => null,
  (random) => random() < 0.5,
  (random) => below(random, 2 ** 32) - 2 ** 31,
  (random) => (random() - 0.5) * 10 ** below(random, 300),
  (random) => BigInt(below(random, 2 ** 50)) ** 3n * (random() < 0.5 ? 1n : -1n),
  randomText,
  (random) => new Date(below(random, 2 ** 40)),
  randomBytes,
  (random) => new Float64Array([random(), random()]),
  (random) => randomBytes(random).buffer,
  (random) => new RegExp(`a{${below(random, 9)}}`, random() < 0.5 ? 'gi' : 'u'),
];

/** Nested up to `depth`; parts may appear more than once. */
export function randomValue(random: Random, depth: number): unknown {
  const made: unknown[] = [];
  const grow = (left: number): unknown => {
    if (made.length > 0 && random() < 0.1) return made[below(random, made.length)];
    if (left === 0 || random() < 0.3) return leaves[below(random, leaves.length)]?.(random);
    const parts = Array.from({ length: below(random, 6) }, () => grow(left - 1));
    const containers = [
      () => parts,
      () => Object.fromEntries(parts.map((part) => [randomText(random), part])),
      () => new Map(parts.map((part) => [randomText(random), part])),
      () => new Set(parts),
    ];
    const container = containers[below(random, containers.length)]?.();
    made.push(container);
    return container;
  };
  return grow(depth);
}
