import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Barrier, type BarrierOptions } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { Actor } from './actor.js';
import { turns } from './locks.js';

const broken = { name: 'BrokenBarrierError', code: 'ERR_MP_BROKEN_BARRIER' };
const isBroken = { code: 'ERR_MP_BROKEN_BARRIER' };

const deeds = (barrier: Barrier) => ({
  wait: (timeout?: number) => barrier.wait({ timeout }),
  waitSync: (timeout?: number) => barrier.waitSync({ timeout }),
  reset: () => barrier.reset(),
  abort: () => barrier.abort(),
});
type Party = Actor<ReturnType<typeof deeds>>;

async function withParties(
  count: number,
  body: (barrier: Barrier, actors: Party[]) => Promise<void>,
  options?: BarrierOptions,
): Promise<void> {
  using barrier = new Barrier(count + 1, options);
  const actors = await Promise.all(Array.from({ length: count }, () => Actor.start(deeds(barrier))));
  try {
    await body(barrier, actors);
  } finally {
    for (const actor of actors) await actor[Symbol.asyncDispose]();
  }
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe('a Barrier', () => {
  for (const wait of ['wait', 'waitSync'] as const) {
    it(`lets all pass when all are there, each with a number of its own: ${wait}`, async () => {
      await withParties(3, async (barrier, actors) => {
        for (let round = 0; round < 10; round += 1) {
          const others = actors.map((actor) => actor.do(wait));
          await waitFor('the others to wait', () => barrier.waiting === 3);
          const own = wait === 'wait' ? await barrier.wait() : barrier.waitSync();
          assert.deepEqual(sorted([own, ...(await Promise.all(others))]), [0, 1, 2, 3]);
          assert.equal(barrier.waiting, 0);
        }
      });
    });

    it(`is broken for all by the death of one that waits: ${wait}`, async () => {
      await withParties(3, async (barrier, actors) => {
        const waits: Promise<number>[] = [];
        for (const actor of actors) waits.push((await actor.begin(wait)).outcome);
        await waitFor('all to wait', () => barrier.waiting === 3);
        await actors[1]?.kill();
        await assert.rejects(waits[0] as Promise<number>, isBroken);
        await assert.rejects(waits[2] as Promise<number>, isBroken);
        await assert.rejects(barrier.wait(), broken);
        assert.equal(barrier.broken, true);
      });
    });

    it(`does not let the last one pass when one that waits is dead: ${wait}`, async () => {
      await withParties(1, async (barrier, actors) => {
        await actors[0]?.begin(wait);
        await waitFor('it to wait', () => barrier.waiting === 1);
        await actors[0]?.kill();
        if (wait === 'wait') await assert.rejects(barrier.wait(), broken);
        else assert.throws(() => barrier.waitSync(), broken);
      });
    });

    it(`is broken for all by a time-out: ${wait}`, async () => {
      await withParties(2, async (barrier, actors) => {
        const { outcome } = await (actors[0] as Party).begin('wait');
        await assert.rejects((actors[1] as Party).do(wait, 20), isBroken);
        await assert.rejects(outcome, isBroken);
        assert.equal(barrier.broken, true);
        assert.throws(() => barrier.waitSync(), broken);
      });
    });

    it(`is broken by abort(), and repaired by reset(): ${wait}`, async () => {
      await withParties(2, async (barrier, actors) => {
        const waits: Promise<number>[] = [];
        for (const actor of actors) waits.push((await actor.begin(wait)).outcome);
        await waitFor('all to wait', () => barrier.waiting === 2);
        barrier.abort();
        for (const one of waits) await assert.rejects(one, isBroken);
        assert.equal(barrier.broken, true);
        await (actors[0] as Party).do('reset');
        assert.equal(barrier.broken, false);
        const again = actors.map((actor) => actor.do(wait));
        assert.deepEqual(sorted([await barrier.wait(), ...(await Promise.all(again))]), [0, 1, 2]);
      });
    });

    it(`sends those who wait away with reset(): ${wait}`, async () => {
      await withParties(2, async (barrier, actors) => {
        const { outcome } = await (actors[0] as Party).begin(wait);
        await waitFor('it to wait', () => barrier.waiting === 1);
        barrier.reset();
        await assert.rejects(outcome, isBroken);
        assert.equal(barrier.broken, false);
        assert.equal(barrier.waiting, 0);
      });
    });
  }

  it('runs its action once, by the last one, before anybody passes', async () => {
    let passed = 0;
    const seen: number[] = [];
    using barrier = new Barrier(3, { action: () => seen.push(passed) });
    const pass = async (): Promise<void> => {
      await barrier.wait();
      passed += 1;
    };
    for (let round = 1; round <= 5; round += 1) {
      await Promise.all([pass(), pass(), pass()]);
      assert.equal(passed, 3 * round);
    }
    assert.deepEqual(seen, [0, 3, 6, 9, 12]);
  });

  it('is broken by an action that throws, which is told to the last one', async () => {
    const error = new Error('on purpose');
    const action = (): never => {
      throw error;
    };
    using barrier = new Barrier(2, { action });
    const first = barrier.wait();
    await assert.rejects(Promise.all([barrier.wait(), first.catch(() => {})]), error);
    await assert.rejects(first, broken);
    barrier.reset();
    const again = barrier.wait();
    assert.throws(() => barrier.waitSync(), error);
    await assert.rejects(again, broken);
  });

  it('has a time-out of its own, unless wait() has another', async () => {
    using barrier = new Barrier(2, { timeout: 10 });
    await assert.rejects(barrier.wait(), broken);
    barrier.reset();
    const first = barrier.wait({ timeout: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await barrier.wait();
    await first;
    await assert.rejects(barrier.wait({ timeout: 0 }), broken);
  });

  it('lets an aborted party take its place back', async () => {
    using barrier = new Barrier(2);
    const reason = new Error('no more');
    const controller = new AbortController();
    const wait = barrier.wait({ signal: controller.signal });
    await turns();
    assert.equal(barrier.waiting, 1);
    controller.abort(reason);
    await assert.rejects(wait, reason);
    await assert.rejects(barrier.wait({ signal: controller.signal }), reason);
    assert.equal(barrier.waiting, 0);
    assert.equal(barrier.broken, false);
    assert.deepEqual(sorted(await Promise.all([barrier.wait(), barrier.wait()])), [0, 1]);
  });

  it('with one party lets it pass at once', async () => {
    using barrier = new Barrier(1);
    for (let round = 0; round < 3; round += 1) {
      assert.equal(await barrier.wait(), 0);
      assert.equal(barrier.waitSync(), 0);
    }
  });

  it('keeps phases apart when one party is fast', async () => {
    await withParties(1, async (barrier, actors) => {
      const [actor] = actors as [Party];
      const theirs = Array.from({ length: 200 }, () => actor.do('waitSync'));
      const ours: number[] = [];
      for (let round = 0; round < 200; round += 1) ours.push(await barrier.wait());
      const all = await Promise.all(theirs);
      for (const [round, index] of ours.entries()) assert.equal(index + (all[round] as number), 1);
    });
  });

  it('lets more parties than it has wait for their turn', async () => {
    using barrier = new Barrier(3);
    const indexes = await Promise.all(Array.from({ length: 300 }, () => barrier.wait()));
    for (const index of [0, 1, 2]) assert.equal(indexes.filter((found) => found === index).length, 100);
  });

  it('rejects who waits when it is closed, and does not count them', async () => {
    const barrier = new Barrier(2);
    const wait = barrier.wait();
    await turns();
    barrier.close();
    barrier.close();
    await assert.rejects(wait, { code: 'ERR_MP_CLOSED' });
    for (const use of [() => barrier.waitSync(), () => barrier.abort(), () => barrier.reset(), () => barrier.broken]) {
      assert.throws(use, { code: 'ERR_MP_CLOSED' });
    }
    await assert.rejects(barrier.wait(), { code: 'ERR_MP_CLOSED' });
  });

  it('refuses wrong arguments', async () => {
    for (const parties of [0, -1, 1.5, Number.NaN, 100_001]) {
      assert.throws(() => new Barrier(parties), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    for (const parties of ['2', null, undefined]) {
      assert.throws(() => new Barrier(parties as never), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => new Barrier(2, { action: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Barrier(2, { timeout: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Barrier(2, 5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
    using barrier = new Barrier(2);
    await assert.rejects(barrier.wait({ timeout: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(barrier.parties, 2);
    assert.equal(inspect(barrier), 'Barrier <0 of 2 waiting>');
    barrier.abort();
    assert.equal(inspect(barrier), 'Barrier <broken>');
  });
});
