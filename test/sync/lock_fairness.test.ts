import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Lock, Process } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { end, freshName, withWords } from './locks.js';

describe('a process that takes a Lock again at once', () => {
  for (const [kind, make] of [
    ['without a name', () => new Lock()],
    ['with a name', () => new Lock({ name: freshName() })],
  ] as const) {
    for (const form of ['acquire', 'acquireSync'] as const) {
      it(`starves nobody who waits: ${form}, ${kind}`, async () => {
        const lock = make();
        await withWords(async (words) => {
          const greedy = await new Process({
            target: () => {
              for (;;) {
                lock.acquireSync();
                const until = performance.now() + 1;
                while (performance.now() < until);
                Atomics.add(words, 0, 1);
                lock.release();
              }
            },
          }).start();
          await waitFor('it to begin', () => words[0] !== 0);
          const before = words[0] as number;
          const ROUNDS = 20;
          for (let round = 0; round < ROUNDS; round += 1) {
            assert.equal(await lock[form](), true);
            lock.release();
          }
          // It waits for some 10 ms, or turns of 1 ms; unfair would be thousands.
          const turns = (words[0] as number) - before;
          assert.ok(turns < 50 * ROUNDS, `${turns} turns`);
          await end(greedy);
        });
        lock.close();
        lock.unlink();
      });
    }
  }
});
