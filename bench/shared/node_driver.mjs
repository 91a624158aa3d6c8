// One contender of bench/shared: `node node_driver.mjs CASE` does one round of it per line of input, and answers with
// microseconds per operation.
import { Manager, SharedArray, SharedMemory, Value } from '../../dist/index.js';
import { drive } from '../harness.mjs';

// 8 MB, and what a processor's first cache holds: there nothing but the access itself costs time.
const sizes = { '': 1_000_000, ' of 16 KiB': 2_000 };
const ACCESSES = 10_000_000;

function timed(count, body) {
  const start = performance.now();
  body(count);
  return ((performance.now() - start) * 1000) / count;
}

async function timedAsync(count, body) {
  const start = performance.now();
  await body(count);
  return ((performance.now() - start) * 1000) / count;
}

const cases = {
  'SharedMemory create+open+close+unlink': () => () =>
    timed(1000, (count) => {
      for (let i = 0; i < count; i++) {
        const memory = SharedMemory.create({ size: 4096 });
        SharedMemory.open(memory.name).close();
        memory.close();
        memory.unlink();
      }
    }),
  'Value add': () => {
    const value = new Value('i32');
    return () => {
      value.value = 0;
      return timed(100_000, (count) => {
        for (let i = 0; i < count; i++) value.add(1);
      });
    };
  },
  'Value += 1 under its lock': () => {
    const value = new Value('i32');
    return () =>
      timed(20_000, (count) => {
        for (let i = 0; i < count; i++) value.useSync(increment);
      });
  },
  'Manager dict set+get, one after the other': async () => {
    const dict = await (await Manager()).dict();
    return () =>
      timedAsync(1000, async (count) => {
        for (let i = 0; i < count; i++) {
          await dict.set('key', i);
          await dict.get('key');
        }
      });
  },
  'Manager dict set+get, 100 at a time': async () => {
    const dict = await (await Manager()).dict();
    return () =>
      timedAsync(5000, async (count) => {
        for (let i = 0; i < count; i += 100) {
          const calls = [];
          for (let k = 0; k < 100; k++) calls.push(dict.set(k, i), dict.get(k));
          await Promise.all(calls);
        }
      });
  },
};

for (const [size, elements] of Object.entries(sizes)) {
  const arrays = {
    SharedArray: () => new SharedArray('f64', elements).array,
    'plain Float64Array': () => new Float64Array(elements),
  };
  for (const [kind, make] of Object.entries(arrays)) {
    for (const [what, body] of Object.entries({ sum: sumOf, fill })) {
      cases[`${kind}${size} ${what}, element`] = () => {
        const array = make();
        return () => timed(ACCESSES, () => repeat(body, array));
      };
    }
  }
}

function increment(value) {
  value.value += 1;
}

function repeat(body, array) {
  for (let pass = ACCESSES / array.length; pass > 0; pass--) body(array);
}

function sumOf(array) {
  let sum = 0;
  for (let i = 0; i < array.length; i++) sum += array[i];
  return sum;
}

function fill(array) {
  for (let i = 0; i < array.length; i++) array[i] = i;
}

const round = await cases[process.argv[2]]();
await drive({}, round);
process.exit();
