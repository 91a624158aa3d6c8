import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Lock, Process } from 'posix-multiprocessing';
import { freshName, withWords } from './locks.js';

const PROCESSES = 8;
const TURNS = 3000;

describe('processes that take a Lock again at once', () => {
  for (const [kind, make] of [
    ['without a name', () => new Lock()],
    ['with a name', () => new Lock({ name: freshName() })],
  ] as const) {
    for (const form of ['acquire', 'acquireSync'] as const) {
      it(`starve nobody who waits: ${form}, ${kind}`, async () => {
        const lock = make();
        await withWords(async (words) => {
          const [turns, longest] = [0, 1] as const;
          const target = async (): Promise<void> => {
            while (Atomics.load(words, turns) < TURNS) {
              const before = Atomics.load(words, turns);
              await lock[form]();
              words[longest] = Math.max(words[longest] as number, (words[turns] as number) - before);
              const until = performance.now() + 0.5;
              while (performance.now() < until);
              Atomics.add(words, turns, 1);
              lock.release();
            }
          };
          const children = await Promise.all(Array.from({ length: PROCESSES }, () => new Process({ target }).start()));
          for (const child of children) {
            await child.join();
            assert.equal(child.exitCode, 0);
            child.close();
          }
          // Each has its turn, and a few more until the wait is long; unfair were most of them all.
          const found = words[longest] as number;
          assert.ok(found < TURNS / 6, `${found} turns of others in one wait`);
        });
        lock.close();
        lock.unlink();
      });
    }
  }
});
