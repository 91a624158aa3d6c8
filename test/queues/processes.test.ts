import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { Process, Queue } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';

/** A started child that is killed at the end of the scope. */
async function start(target: () => unknown): Promise<Process> {
  return new Process({ target }).start();
}

async function expectExit(child: Process, code: number): Promise<void> {
  await child.join();
  assert.equal(child.exitCode, code);
  child.close();
}

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

interface Item {
  producer: number;
  number: number;
  check: number;
  filler: Buffer;
}

function itemOf(producer: number, number: number): Item {
  // Small ones, ones that fill a segment, ones that get segments of their own, and ones that stay in them.
  const large = number % 100 === 0 ? 300_000 : number % 50 === 0 ? 100_000 : undefined;
  const size = large ?? (number % 10 === 0 ? 5000 : 20);
  return { producer, number, check: producer * 31 + number * 7, filler: Buffer.alloc(size, number) };
}

/** What reaches the parent about one item, on a queue that nobody is killed at. */
type Report = readonly [producer: number, number: number, intact: boolean, inOrder: boolean];

async function consume(queue: Queue<Item>, reports: Queue<Report>, sync: boolean): Promise<void> {
  const last = new Map<number, number>();
  const kept: Item[] = [];
  const isIntact = ({ producer, number, check, filler }: Item): boolean =>
    check === producer * 31 + number * 7 && filler.equals(itemOf(producer, number).filler);
  for (;;) {
    const item = sync ? queue.getSync() : await queue.get();
    const { producer, number } = item;
    if (item.filler.length > 200_000) kept.push(item);
    // What was received stays as it is, whoever is killed.
    const oldest = kept.length > 5 ? kept.shift() : undefined;
    const intact = isIntact(item) && (oldest === undefined || isIntact(oldest));
    const inOrder = number > (last.get(producer) ?? 0);
    last.set(producer, number);
    reports.putSync([producer, number, intact, inOrder]);
  }
}

async function produce(queue: Queue<Item>, producer: number, sync: boolean): Promise<void> {
  for (let number = 1; ; number += 1) {
    while (queue.size > 200) await delay(1); // where nothing else bounds it
    if (sync) queue.putSync(itemOf(producer, number));
    else await queue.put(itemOf(producer, number));
  }
}

/** Of each kind. */
const PROCESSES = 4;

/** Kills producers and consumers at random moments; checks each item that was seen. */
async function killRounds(kills: number, maxSize: number): Promise<void> {
  using queue = new Queue<Item>(maxSize);
  using reports = new Queue<Report>(1000);
  let born = 0;
  let deadConsumers = 0;
  const newProducer = (): Promise<Process> => {
    const producer = ++born;
    return start(() => produce(queue, producer, producer % 2 === 0));
  };
  const newConsumer = (): Promise<Process> => start(() => consume(queue, reports, born % 2 === 0));
  const producers = await Promise.all(Array.from({ length: PROCESSES }, newProducer));
  const consumers = await Promise.all(Array.from({ length: PROCESSES }, newConsumer));

  const seen = new Map<number, Set<number>>();
  const take = ([producer, number, intact, inOrder]: Report): void => {
    const numbers = seen.get(producer) ?? new Set();
    seen.set(producer, numbers);
    assert.ok(intact, `item ${number} of producer ${producer} is torn`);
    assert.ok(inOrder, `item ${number} of producer ${producer} came after a later one`);
    assert.ok(!numbers.has(number), `item ${number} of producer ${producer} came twice`);
    numbers.add(number);
  };
  const replace = async (group: Process[], make: () => Promise<Process>): Promise<void> => {
    const victim = group.splice(randomInt(group.length), 1)[0] as Process;
    victim.kill();
    await victim.join();
    victim.close();
    group.push(await make());
  };
  for (let kill = 0; kill < kills; kill += 1) {
    await delay(randomInt(4));
    const isConsumer = randomInt(2) === 0;
    if (isConsumer) deadConsumers += 1;
    await (isConsumer ? replace(consumers, newConsumer) : replace(producers, newProducer));
    // Progress after every death: something new arrives.
    take(await reports.get({ timeout: 20_000 }));
    for (let left = reports.size; left > 0; left -= 1) take(reports.getNowait());
  }
  for (const child of producers) child.kill();
  for (const child of producers) await child.join();
  while (!queue.isEmpty()) take(await reports.get({ timeout: 20_000 }));
  for (const child of consumers) child.kill();
  for (const child of [...producers, ...consumers]) {
    await child.join();
    child.close();
  }
  while (!reports.isEmpty()) take(reports.getNowait());
  let missing = 0;
  for (const numbers of seen.values()) missing += Math.max(...numbers) - numbers.size;
  // One for each consumer that was killed, between taking an item and reporting it.
  assert.ok(missing <= deadConsumers + consumers.length, `${missing} missing, ${deadConsumers} consumers were killed`);
}

describe('Queue under SIGKILL', () => {
  const kills = Number(process.env['MP_SOAK_KILLS'] ?? 20);

  it('a bounded queue survives its processes, item by item', async function () {
    this.timeout(60_000 + kills * 1000);
    await killRounds(kills, 4);
  });

  it('a boundless one, too', async function () {
    this.timeout(60_000 + kills * 1000);
    await killRounds(kills, 0);
  });
});
