/** Large values that stay in a queue's memory, and processes that fork or are killed. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { Process, Queue } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { collectGarbage, memoryOfQueues } from '../support/memory.js';
import { assertFilled, filled, MIB, through } from './kept_values.js';

async function succeeds(child: Process): Promise<void> {
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
}

describe('large values that were received, and forks', () => {
  for (const way of ['start', 'startSync'] as const) {
    it(`are not shared with a child: ${way}()`, async () => {
      using queue = new Queue<Buffer>();
      using answers = new Queue<Buffer>();
      using childs = new Queue<Buffer>();
      childs.putSync(filled(MIB, 9));
      const another = childs.getSync();
      using go = new Queue<number>();
      const kept = [1, 2, 3].map((byte) => through(queue, filled(MIB + byte, byte)));
      const child = new Process({
        target: () => {
          go.getSync();
          for (const [i, value] of kept.entries()) {
            assertFilled(value, i + 1);
            value.fill(10 + i);
          }
          for (let i = 0; i < 8; i += 1) answers.putSync(through(childs, filled(MIB, 30 + i)));
          assertFilled(queue.getSync(), 50);
          for (const [i, value] of kept.entries()) assertFilled(value, 10 + i);
          assertFilled(another, 9);
        },
      });
      await child[way]();
      for (const value of kept) value.fill(20);
      // Where the values were others are now, for this process and for its child.
      for (let i = 0; i < 8; i += 1) assertFilled(through(queue, filled(MIB, 40 + i)), 40 + i);
      go.putSync(1);
      for (let i = 0; i < 8; i += 1) assertFilled(answers.getSync(), 30 + i);
      queue.putSync(filled(2 * MIB, 50));
      await succeeds(child);
      for (const value of kept) assertFilled(value, 20);
    });
  }

  it('are not shared with a child of posix.fork()', () => {
    using queue = new Queue<Buffer>();
    const kept = through(queue, filled(MIB, 1));
    const pid = posix.fork();
    if (pid === 0) {
      try {
        kept.fill(2);
        assertFilled(through(queue, filled(MIB, 9)), 9);
        assertFilled(kept, 2);
        posix._exit(0);
      } catch {
        posix._exit(1);
      }
    }
    assert.equal(posix.waitpid(pid)?.exitCode, 0);
    assertFilled(kept, 1);
    assertFilled(through(queue, filled(MIB, 9)), 9);
    assertFilled(kept, 1);
  });

  it('are forgotten by a child without a loss for its parent', async () => {
    using queue = new Queue<Buffer>();
    let kept: Buffer[] | undefined = [1, 2, 3].map((byte) => through(queue, filled(MIB, byte)));
    const child = await new Process({
      target: async () => {
        kept = undefined;
        await collectGarbage();
        for (let i = 0; i < 40; i += 1) assertFilled(through(queue, filled(MIB, i)), i);
      },
    }).start();
    await succeeds(child);
    for (const [i, value] of (kept ?? []).entries()) assertFilled(value, i + 1);
  });

  it('take no addresses for themselves that last', () => {
    using queue = new Queue<Buffer>();
    const addresses = (): number => Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
    const before = addresses();
    const kept: Buffer[] = [];
    for (let i = 0; i < 10; i += 1) {
      kept.push(through(queue, filled(MIB, i)));
      const pid = posix.fork();
      if (pid === 0) posix._exit(0);
      posix.waitpid(pid);
    }
    assert.ok(addresses() - before < 2 * MIB, `${addresses() - before} kB more`);
    for (const [i, value] of kept.entries()) assertFilled(value, i);
  });

  it('stay when the queue is closed, whose descriptors and memory go', async () => {
    const countOpen = (): number => readdirSync('/proc/self/fd').length;
    await collectGarbage();
    assert.equal(memoryOfQueues(), 0);
    const before = countOpen();
    const queue = new Queue<Buffer>();
    for (let i = 0; i < 10; i += 1) through(queue, filled(MIB, i));
    const value = through(queue, filled(MIB, 6));
    queue.close();
    assert.equal(countOpen(), before);
    assert.equal(memoryOfQueues(), 0);
    assertFilled(value, 6);
    const child = await new Process({ target: () => assertFilled(value, 6) }).start();
    await succeeds(child);
    assertFilled(value, 6);
  });

  it('of a process that was killed are the queue’s again', async () => {
    using queue = new Queue<Buffer>();
    for (let round = 0; round < 12; round += 1) {
      for (let i = 0; i < 12; i += 1) queue.putSync(filled(MIB, i));
      const child = await new Process({
        target: () => {
          const kept = Array.from({ length: 12 }, () => queue.getSync());
          process.kill(process.pid, kept.length === 12 ? 'SIGKILL' : 'SIGTERM');
        },
      }).start();
      await child.join();
      assert.equal(child.exitCode, -9);
      child.close();
    }
    assert.ok(memoryOfQueues() < 40_000, `${memoryOfQueues()} kB`);
  });
});
