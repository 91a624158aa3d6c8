import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Event, Process, SharedMemory } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { Actor } from './actor.js';
import { end, freshName, turns } from './locks.js';
import { languages, prepareClient, SemaphoreClient } from './semaphore_clients.js';

const deeds = (event: Event) => ({
  wait: (timeout?: number) => event.wait({ timeout }),
  waitSync: (timeout?: number) => event.waitSync({ timeout }),
  set: () => event.set(),
  clear: () => event.clear(),
  isSet: () => event.isSet(),
});

for (const [kind, make] of [
  ['an Event', () => new Event()],
  ['a named Event', () => new Event({ name: freshName() })],
] as const) {
  describe(kind, () => {
    const withEvent = async (body: (event: Event) => Promise<void>): Promise<void> => {
      const event = make();
      try {
        await body(event);
      } finally {
        event.close();
        event.unlink();
      }
    };

    it('is unset at first, and waiting for it times out', async () => {
      await withEvent(async (event) => {
        assert.equal(event.isSet(), false);
        assert.equal(await event.wait({ timeout: 5 }), false);
        assert.equal(event.waitSync({ timeout: 5 }), false);
        event.set();
        event.set();
        assert.equal(event.isSet(), true);
        assert.equal(await event.wait(), true);
        assert.equal(event.waitSync(), true);
        event.clear();
        event.clear();
        assert.equal(event.isSet(), false);
        assert.equal(event.waitSync({ timeout: 0 }), false);
      });
    });

    for (const wait of ['wait', 'waitSync'] as const) {
      it(`lets all who wait go on: ${wait}`, async () => {
        await withEvent(async (event) => {
          await using first = await Actor.start(deeds(event));
          await using second = await Actor.start(deeds(event));
          for (let round = 0; round < 5; round += 1) {
            const [one, other] = [await first.begin(wait), await second.begin(wait)];
            const waits = [one.outcome, other.outcome, event.wait(), event.wait()];
            // Who waits goes on, also when it is cleared before they have looked.
            event.set();
            event.clear();
            assert.deepEqual(await Promise.all(waits), [true, true, true, true]);
          }
        });
      });

      it(`waits for no waiter that was killed: ${wait}`, async () => {
        await withEvent(async (event) => {
          const dying = await Actor.start(deeds(event));
          await dying.begin(wait);
          await dying.kill();
          event.set();
          assert.equal(await event.wait(), true);
        });
      });
    }

    it('is set and cleared by any process', async () => {
      await withEvent(async (event) => {
        await using actor = await Actor.start(deeds(event));
        const wait = event.wait();
        await actor.do('set');
        assert.equal(await wait, true);
        assert.equal(event.isSet(), true);
        event.clear();
        assert.equal(await actor.do('isSet'), false);
      });
    });

    it('ends a wait by abort with its reason, and by close()', async () => {
      await withEvent(async (event) => {
        const reason = new Error('no more');
        const controller = new AbortController();
        const wait = event.wait({ signal: controller.signal });
        controller.abort(reason);
        await assert.rejects(wait, reason);
        await assert.rejects(event.wait({ signal: controller.signal }), reason);
        const other = event.wait();
        await turns();
        event.close();
        event.close();
        await assert.rejects(other, { code: 'ERR_MP_CLOSED' });
        for (const use of [() => event.set(), () => event.isSet(), () => event.waitSync()]) {
          assert.throws(use, { code: 'ERR_MP_CLOSED' });
        }
      });
    });
  });
}

describe('an Event', () => {
  it('refuses wrong arguments', async () => {
    assert.throws(() => new Event({ name: '' }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new Event(1 as never), { code: 'ERR_INVALID_ARG_TYPE' });
    using event = new Event();
    await assert.rejects(event.wait({ timeout: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => event.waitSync({ timeout: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(inspect(event), 'Event <unset>');
    event.set();
    assert.equal(inspect(event), 'Event <set>');
  });

  it('may be set from a signal handler while it is waited for', async () => {
    const script = `
      import { Event } from 'posix-multiprocessing';
      const event = new Event();
      process.on('SIGUSR2', () => event.set());
      const waits = Array.from({ length: 50 }, () => event.wait());
      for (let i = 0; i < 1000; i += 1) event.isSet();
      process.kill(process.pid, 'SIGUSR2');
      console.log((await Promise.all(waits)).every(Boolean));`;
    const { code, stdout, stderr, facts } = await runScript(script);
    assert.deepEqual([code, stdout], [0, 'true\n'], stderr + facts);
  });

  it('stops nobody when processes that use it are killed at random', async () => {
    using event = new Event();
    using memory = SharedMemory.create({ size: 64 });
    memory.unlink();
    const words = new Int32Array(memory.buffer);
    const target = async (index: number): Promise<void> => {
      for (;;) {
        if (index % 2 === 0) await event.wait();
        else event.waitSync();
        Atomics.add(words, 0, 1);
        event.clear();
        event.set();
      }
    };
    const start = (index: number): Promise<Process> => new Process({ target, args: [index] }).start();
    const children = await Promise.all([0, 1, 2, 3].map(start));
    for (let kills = 0; kills < 40; kills += 1) {
      event.set();
      const before = words[0] as number;
      await waitFor('some to pass', () => (words[0] as number) - before > 10);
      await end(children[kills % 4] as Process);
      children[kills % 4] = await start(kills % 4);
    }
    for (const child of children) await end(child);
    event.set();
    assert.equal(await event.wait(), true);
  });
});

for (const language of languages) {
  describe(`a named Event and a semaphore in ${language}`, () => {
    it('are the same: sem_post sets it for all who wait', async () => {
      const { command, remove } = prepareClient(language);
      const name = freshName();
      const event = new Event({ name });
      const client = new SemaphoreClient(command, `/${name}`);
      await client.ask('open');
      assert.equal(await client.ask('value'), 0);
      await using actor = await Actor.start(deeds(event));
      const waits = [(await actor.begin('waitSync')).outcome, event.wait(), event.wait()];
      await client.ask('post');
      assert.deepEqual(await Promise.all(waits), [true, true, true]);
      assert.equal(event.isSet(), true);
      event.clear();
      assert.equal(await client.ask('value'), 0);
      event.set();
      assert.equal(await client.ask('value'), 1);
      await client.end();
      event.unlink();
      event.close();
      remove();
    });
  });
}
