// One kernel for each thing that a process does all day; each returns a checksum.

function lcg(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 0;
  };
}

export const kernels = {
  // Short-lived objects, and some that live on.
  garbage() {
    let kept = [];
    let sum = 0;
    for (let index = 0; index < 600_000; index++) {
      const object = { index, pair: [index, index + 1], text: `n${index & 255}` };
      if (index % 16 === 0) kept.push(object);
      if (kept.length > 10_000) kept = kept.slice(5_000);
      sum = (sum + object.pair[1]) | 0;
    }
    return sum;
  },
  // Functions that are new to the compiler.
  compile() {
    let sum = 0;
    for (let round = 0; round < 25; round++) {
      // oxlint-disable-next-line typescript/no-implied-eval -- code that nobody has compiled before
      const hot = new Function(
        'n',
        `let s = ${round}; for (let i = 0; i < n; i++) s = (s * 31 + (i ^ ${round})) | 0; return s;`,
      );
      for (let call = 0; call < 40; call++) sum ^= hot(10_000);
    }
    return sum;
  },
  json() {
    const value = Array.from({ length: 3_000 }, (_, id) => ({
      id,
      name: `user ${id}`,
      tags: ['a', 'b', id],
      deep: { x: id / 3 },
    }));
    let length = 0;
    for (let round = 0; round < 12; round++) length += JSON.stringify(JSON.parse(JSON.stringify(value))).length;
    return length;
  },
  regex() {
    const text = Array.from(
      { length: 20_000 },
      (_, index) => `key${index}=value${index * 7}; mail${index}@host${index % 9}.example`,
    ).join('\n');
    let found = 0;
    for (const _ of text.matchAll(/(\w+)@(\w+)\.example/g)) found += 1;
    for (const [, value] of text.matchAll(/=([a-z]+\d*);/g)) found += value.length;
    return found + text.replace(/\d+/g, (digits) => String(digits.length)).length;
  },
  typedArrays() {
    const size = 120;
    const a = Float64Array.from({ length: size * size }, (_, index) => index % 7);
    const b = Float64Array.from({ length: size * size }, (_, index) => index % 5);
    const c = new Float64Array(size * size);
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) {
          let sum = 0;
          for (let k = 0; k < size; k++) sum += a[i * size + k] * b[k * size + j];
          c[i * size + j] = sum;
        }
    }
    return c.reduce((sum, value) => sum + value);
  },
  maps() {
    const random = lcg(7);
    const map = new Map();
    const set = new Set();
    for (let index = 0; index < 200_000; index++) {
      const key = random() % 40_000;
      map.set(key, (map.get(key) ?? 0) + 1);
      set.add(`k${key % 5_000}`);
    }
    let sum = set.size;
    for (const [key, count] of map) sum = (sum + key * count) | 0;
    return sum;
  },
  strings() {
    let text = '';
    let sum = 0;
    for (let index = 0; index < 200_000; index++) {
      text += String.fromCharCode(97 + (index % 26));
      if (text.length > 2_000) {
        sum += text.split('e').join('é').toUpperCase().indexOf('ZABC');
        text = text.slice(1_990);
      }
    }
    return sum;
  },
  sort() {
    const random = lcg(11);
    const words = Array.from({ length: 40_000 }, () => random().toString(36));
    return words.sort().findIndex((word) => word > 'm') + words.map(Number.parseInt).sort((a, b) => a - b).length;
  },
};

// Milliseconds on the clock and of processor time, those of other threads included.
export function time(run) {
  const used = process.cpuUsage();
  const begin = performance.now();
  run();
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(used);
  return { wall, cpu: (user + system) / 1000 };
}

// The best of several, each figure for itself.
export function bestOf(times) {
  return { wall: Math.min(...times.map(({ wall }) => wall)), cpu: Math.min(...times.map(({ cpu }) => cpu)) };
}

// Of each kernel, the best of four after one to warm up.
export function measure() {
  const times = {};
  for (const [name, kernel] of Object.entries(kernels)) {
    kernel();
    times[name] = bestOf([1, 2, 3, 4].map(() => time(kernel)));
  }
  return times;
}
