/**
 * Four contenders for each kind of lock, one of which is killed again and again at a random moment: mutual exclusion is
 * never broken, progress never stops. Prints a line for each kind; fails with what went wrong.
 *
 *   node --expose-gc out/test/soak/lock_storm.js [--seconds 30] [--kills 1000000] [--only Condition]    in all
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  Barrier,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  type LockLike,
  OwnerDiedError,
  Process,
  RLock,
  Semaphore,
  SharedMemory,
} from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    kills: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  },
});
const CONTENDERS = 4;

/** Words that all processes share. */
const [INSIDE, BROKEN, PASSES, ITEMS] = [0, 1, 2, 3] as const;
type Words = Int32Array;

/** What a contender does for ever; every other one blocks. */
type Work = (words: Words, index: number) => Promise<void>;

const blocks = (index: number): boolean => index % 2 === 0;

interface Kind {
  readonly name: string;
  readonly make: () => {
    work: Work /** What else has to be done for progress. */;
    help?: () => void;
    close: () => void;
  };
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Nobody else may be in here, but for the dead. */
function pass(words: Words): void {
  const found = Atomics.exchange(words, INSIDE, process.pid);
  if (found !== 0 && isAlive(found)) Atomics.add(words, BROKEN, 1);
  for (let look = 0; look < 50; look += 1) {
    if (Atomics.load(words, INSIDE) !== process.pid) Atomics.add(words, BROKEN, 1);
  }
  Atomics.store(words, INSIDE, 0);
  Atomics.add(words, PASSES, 1);
}

function exclusion(name: string, makeLock: () => LockLike & { close(): void; unlink?(): void }): Kind {
  return {
    name,
    make: () => {
      const lock = makeLock();
      const work: Work = async (words, index) => {
        for (;;) {
          try {
            if (blocks(index)) lock.acquireSync();
            else await lock.acquire();
          } catch (error) {
            assert.ok(error instanceof OwnerDiedError);
          }
          pass(words);
          lock.release();
        }
      };
      const close = (): void => {
        lock.close();
        lock.unlink?.();
      };
      return { work, close };
    },
  };
}

const kinds: readonly Kind[] = [
  exclusion('Lock', () => new Lock()),
  exclusion('named Lock', () => new Lock({ name: `mp-soak-${process.pid}` })),
  exclusion('RLock', () => new RLock()),
  exclusion('Semaphore with restore', () => new Semaphore(1, { restore: true })),
  {
    name: 'Condition',
    make: () => {
      const lock = new Lock({ onOwnerDied: 'recover' });
      const condition = new Condition(lock);
      // Half of them make what the others take.
      const work: Work = async (words, index) => {
        const maker = index < CONTENDERS / 2;
        for (;;) {
          const wanted = maker ? () => (words[ITEMS] as number) < 3 : () => (words[ITEMS] as number) > 0;
          const done = (): void => {
            words[ITEMS] = (words[ITEMS] as number) + (maker ? 1 : -1);
            pass(words);
            condition.notifyAll();
          };
          if (blocks(index)) condition.useSync(() => condition.waitForSync(wanted) && done());
          else await condition.use(async () => (await condition.waitFor(wanted)) && done());
        }
      };
      return {
        work,
        help: () => condition.useSync(() => condition.notifyAll()),
        close: () => {
          condition.close();
          lock.close();
        },
      };
    },
  },
  {
    name: 'Barrier',
    make: () => {
      const barrier = new Barrier(2);
      const work: Work = async (words, index) => {
        for (;;) {
          try {
            if (blocks(index)) barrier.waitSync({ timeout: 500 });
            else await barrier.wait({ timeout: 500 });
            Atomics.add(words, PASSES, 1);
          } catch (error) {
            assert.ok(error instanceof BrokenBarrierError);
            barrier.reset();
          }
        }
      };
      return { work, close: () => barrier.close() };
    },
  },
  {
    name: 'Event',
    make: () => {
      const event = new Event();
      const work: Work = async (words, index) => {
        for (;;) {
          if (blocks(index)) event.waitSync();
          else await event.wait();
          Atomics.add(words, PASSES, 1);
          event.clear();
          event.set();
        }
      };
      return { work, help: () => event.set(), close: () => event.close() };
    },
  },
];

async function end(child: Process): Promise<void> {
  child.kill();
  await child.join();
  child.close();
}

async function storm({ name, make }: Kind, seconds: number, mostKills: number): Promise<void> {
  const memory = SharedMemory.create({ size: 64 });
  memory.unlink();
  const words = new Int32Array(memory.buffer);
  const { work, help, close } = make();
  const start = (index: number): Promise<Process> => new Process({ target: () => work(words, index) }).start();
  const contenders = await Promise.all(Array.from({ length: CONTENDERS }, (_, index) => start(index)));
  const passes = (): number => Atomics.load(words, PASSES);
  const progress = async (more: number): Promise<void> => {
    const before = passes();
    help?.();
    await waitFor(`${name}: ${more} passes`, () => passes() - before >= more);
  };
  const until = performance.now() + seconds * 1000;
  let kills = 0;
  let longest = 0;
  for (; performance.now() < until && kills < mostKills; kills += 1) {
    const began = performance.now();
    await progress(1 + Math.floor(Math.random() * 20));
    longest = Math.max(longest, performance.now() - began);
    const victim = Math.floor(Math.random() * CONTENDERS);
    await end(contenders[victim] as Process);
    contenders[victim] = await start(victim);
  }
  await progress(100);
  for (const contender of contenders) await end(contender);
  close();
  const broken = words[BROKEN];
  console.log(
    `${name}: ${kills} kills, ${passes()} passes, longest wait for progress ${longest.toFixed(0)} ms, ` +
      `exclusion broken ${broken} times`,
  );
  memory.close();
  assert.equal(broken, 0);
}

const chosen = kinds.filter(({ name }) => values.only === undefined || values.only === name);
for (const kind of chosen)
  await storm(kind, Number(values.seconds) / chosen.length, Number(values.kills) / chosen.length);
