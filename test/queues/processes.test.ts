import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { Queue } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { expectExit, start } from '../support/children.js';
import { type Item, killRounds } from '../support/kill_rounds.js';

describe('Queue between processes', () => {
  it('carries values both ways', async () => {
    using there = new Queue<number>();
    using back = new Queue<number>();
    const child = await start(async () => {
      for await (const value of there) await back.put(value * 2);
      back.end();
    });
    for (let i = 0; i < 1000; i += 1) await there.put(i);
    there.end();
    let expected = 0;
    for await (const value of back) assert.equal(value, 2 * expected++);
    assert.equal(expected, 1000);
    await expectExit(child, 0);
  });

  it('wakes a child that blocks, and one that awaits', async () => {
    using queue = new Queue<string>();
    using back = new Queue<string>();
    for (const take of [() => queue.getSync(), () => queue.get()]) {
      const child = await start(async () => back.putSync(`${await take()} back`));
      await delay(5); // more often than not it sleeps by now
      queue.putNowait('there and');
      assert.equal(await back.get(), 'there and back');
      await expectExit(child, 0);
    }
  });

  it('a full queue makes producers of every process wait', async () => {
    using queue = new Queue<number>(2);
    const children = await Promise.all(
      [0, 1, 2].map((producer) =>
        start(async () => {
          for (let i = 0; i < 200; i += 1) {
            if (i % 2 === 0) queue.putSync(producer * 1000 + i);
            else await queue.put(producer * 1000 + i);
          }
        }),
      ),
    );
    const last = [-1, -1, -1];
    for (let received = 0; received < 600; received += 1) {
      const value = await queue.get();
      assert.ok(queue.size <= 2);
      const producer = Math.floor(value / 1000);
      assert.equal(value % 1000, (last[producer] as number) + 1);
      last[producer] = value % 1000;
    }
    for (const child of children) await expectExit(child, 0);
    assert.equal(queue.size, 0);
  });

  it('what was put is there though its process is killed the next instant', async () => {
    using queue = new Queue<string>();
    const child = await start(() => {
      queue.putSync('the last thing');
      process.kill(process.pid, 'SIGKILL');
    });
    await expectExit(child, -9);
    assert.equal(queue.size, 1);
    assert.equal(queue.getNowait(), 'the last thing');
  });

  it('a child that inherits waits of its parent begins with none', async () => {
    using queue = new Queue<string>();
    using back = new Queue<string>();
    const controller = new AbortController();
    const waiting = queue.get({ signal: controller.signal });
    const child = await start(async () => back.put(await queue.get()));
    queue.putNowait('one');
    queue.putNowait('two');
    const both = await Promise.all([waiting, back.get()]);
    assert.deepEqual(both.sort(), ['one', 'two']);
    await expectExit(child, 0);
    controller.abort();
  });

  it('a child may close its queue; the others go on', async () => {
    using queue = new Queue<number>();
    const child = await start(() => {
      queue.putSync(1);
      queue.close();
    });
    await expectExit(child, 0);
    await queue.put(2);
    assert.equal(await queue.get(), 1);
    assert.equal(await queue.get(), 2);
  });

  it('is made where files and address space are limited, as large as they allow', async () => {
    const addressSpace = (): number =>
      1024 * Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
    const limitTo = (resource: 'as' | 'fsize', soft: number): void => {
      posix.setrlimit(resource, { ...posix.getrlimit(resource), soft });
    };
    const use = (): void => {
      using queue = new Queue<Buffer>();
      queue.putSync(Buffer.alloc(10_000));
      assert.equal(queue.getSync().length, 10_000);
    };
    const limits: (() => void)[] = [
      () => limitTo('fsize', 2 ** 30),
      () => limitTo('fsize', 100_000),
      () => limitTo('as', addressSpace() + 2 ** 31),
    ];
    for (const limit of limits) {
      const child = await start(() => {
        limit();
        use();
      });
      await expectExit(child, 0);
    }
    const refused = await start(() => {
      limitTo('fsize', 1000);
      assert.throws(() => new Queue(), { code: 'EFBIG' });
    });
    await expectExit(refused, 0);
  });

  it('grandchildren reach it as well', async () => {
    using queue = new Queue<string>();
    const child = await start(async () => {
      const grandchild = await start(() => queue.putSync('from below'));
      await grandchild.join();
    });
    assert.equal(await queue.get(), 'from below');
    await expectExit(child, 0);
  });
});

describe('Queue under SIGKILL', () => {
  const kills = Number(process.env['MP_SOAK_KILLS'] ?? 20);

  async function surviveKills(maxSize: number): Promise<void> {
    using queue = new Queue<Item>(maxSize);
    await killRounds(kills, {
      put: (item) => queue.put(item),
      putSync: (item) => queue.putSync(item),
      take: () => queue.get(),
      takeSync: () => queue.getSync(),
      isEmpty: () => queue.isEmpty(),
      isFull: () => queue.size > 200,
    });
  }

  it('a bounded queue survives its processes, item by item', async function () {
    this.timeout(60_000 + kills * 1000);
    await surviveKills(4);
  });

  it('a boundless one, too', async function () {
    this.timeout(60_000 + kills * 1000);
    await surviveKills(0);
  });
});
