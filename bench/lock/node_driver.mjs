// The library's locks and what they stand beside in JavaScript; each round gives nanoseconds per operation.
//   node node_driver.mjs <what> <mode> <count>
import { Lock, Process, RLock, Semaphore, SharedMemory } from 'posix-multiprocessing';
import { drive } from '../harness.mjs';

const [what, mode, count] = process.argv.slice(2);
const n = Number(count);
const now = () => Number(process.hrtime.bigint());

class BareAtomics {
  #words = new Int32Array(new SharedArrayBuffer(64));
  acquireSync() {
    return Atomics.compareExchange(this.#words, 0, 0, 1) === 0;
  }
  tryAcquire() {
    return Atomics.compareExchange(this.#words, 0, 0, 1) === 0;
  }
  release() {
    Atomics.compareExchange(this.#words, 0, 1, 0);
  }
  close() {}
}

const makers = {
  Lock: () => new Lock(),
  'named Lock': () => new Lock({ name: `bench-${process.pid}` }),
  RLock: () => new RLock(),
  Semaphore: () => new Semaphore(1),
  Atomics: () => new BareAtomics(),
};
const make = makers[what];

function passes(lock) {
  for (let i = 0; i < n; i++) {
    lock.acquireSync();
    lock.release();
  }
}

function timed(lock, run) {
  const start = now();
  run(lock);
  const time = (now() - start) / n;
  lock.close();
  lock.unlink?.();
  return time;
}

// Runs `theirs` in a child and `ours` here, with words that both see. Nanoseconds until both are through.
async function beside(theirs, ours) {
  const memory = SharedMemory.create({ size: 16 });
  const words = new Int32Array(memory.buffer);
  const child = new Process({
    target: () => {
      Atomics.store(words, 0, 1);
      theirs(words);
    },
  });
  await child.start();
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  const start = now();
  const operations = ours(words);
  child.joinSync();
  const time = (now() - start) / (operations + words[1]);
  child.close();
  memory.close();
  memory.unlink();
  return time;
}

// n is milliseconds.
function passesInTime(lock) {
  const end = now() + n * 1e6;
  let done = 0;
  for (; now() < end; done += 100) {
    for (let i = 0; i < 100; i++) {
      lock.acquireSync();
      lock.release();
    }
  }
  return done;
}

const modes = {
  pair: () => timed(make(), passes),
  try: () =>
    timed(make(), (lock) => {
      for (let i = 0; i < n; i++) {
        lock.tryAcquire();
        lock.release();
      }
    }),
  async async() {
    const lock = make();
    const start = now();
    for (let i = 0; i < n; i++) {
      await lock.acquire();
      lock.release();
    }
    const time = (now() - start) / n;
    lock.close();
    return time;
  },
  async contended() {
    const lock = make();
    const time = await beside(
      (words) => (words[1] = passesInTime(lock)),
      () => passesInTime(lock),
    );
    lock.close();
    lock.unlink();
    return time;
  },
  async handover() {
    const [a, b] = [new Lock(), new Lock()];
    a.acquireSync();
    b.acquireSync();
    return beside(
      () => {
        for (let i = 0; i < n; i++) {
          a.acquireSync();
          b.release();
        }
      },
      () => {
        for (let i = 0; i < n; i++) {
          a.release();
          b.acquireSync();
        }
        return 2 * n;
      },
    );
  },
  // n milliseconds of 8 processes that hold it for so many microseconds: how often each of them got it, and the longest
  // that one waited.
  async fairness() {
    const held = Number(process.argv[6] ?? 0);
    const lock = make();
    const memory = SharedMemory.create({ size: 256 });
    memory.unlink();
    const words = new Int32Array(memory.buffer);
    const target = async (index, sync) => {
      Atomics.add(words, 0, 1);
      while (Atomics.load(words, 0) < 8);
      const end = now() + n * 1e6;
      let [longest, turns] = [0, 0];
      for (let start = now(); start < end; turns++) {
        if (sync) lock.acquireSync();
        else await lock.acquire();
        const got = now();
        longest = Math.max(longest, got - start);
        while (now() < got + held * 1e3);
        lock.release();
        start = now();
      }
      words[8 + index] = turns;
      words[16 + index] = longest / 1e6;
    };
    const children = [];
    for (let index = 0; index < 8; index++) {
      children.push(await new Process({ target, args: [index, process.argv[5] !== 'async'] }).start());
    }
    for (const child of children) await child.join();
    for (const child of children) child.close();
    const result = { passes: [...words.subarray(8, 16)], longestMs: [...words.subarray(16, 24)] };
    memory.close();
    lock.close();
    lock.unlink?.();
    return result;
  },
  // Made, used and closed, all open at a time.
  open() {
    const start = now();
    const locks = Array.from({ length: n }, make);
    for (const lock of locks) {
      lock.acquireSync();
      lock.release();
    }
    for (const lock of locks) lock.close();
    return (now() - start) / n;
  },
};

await drive({}, modes[mode]);
