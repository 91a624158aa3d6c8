/** Kills producers and consumers of a channel at random moments, and checks each item that was seen. */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Process, Queue } from 'posix-multiprocessing';

/** What the processes share. */
export interface Channel {
  put(item: Item): Promise<void>;
  putSync(item: Item): void;
  take(): Promise<Item>;
  takeSync(): Item;
  isEmpty(): boolean;
  /** Producers wait while it is, where nothing else bounds them. */
  isFull(): boolean;
}

export interface Item {
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

async function consume(channel: Channel, reports: Queue<Report>, sync: boolean): Promise<void> {
  const last = new Map<number, number>();
  const kept: Item[] = [];
  const isIntact = ({ producer, number, check, filler }: Item): boolean =>
    check === producer * 31 + number * 7 && filler.equals(itemOf(producer, number).filler);
  for (;;) {
    const item = sync ? channel.takeSync() : await channel.take();
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

async function produce(channel: Channel, producer: number, sync: boolean): Promise<void> {
  for (let number = 1; ; number += 1) {
    while (channel.isFull()) await delay(1);
    if (sync) channel.putSync(itemOf(producer, number));
    else await channel.put(itemOf(producer, number));
  }
}

/** Of each kind. */
const PROCESSES = 4;

export async function killRounds(kills: number, channel: Channel): Promise<void> {
  using reports = new Queue<Report>(1000);
  let born = 0;
  let deadConsumers = 0;
  const newProducer = (): Promise<Process> => {
    const producer = ++born;
    return new Process({ target: () => produce(channel, producer, producer % 2 === 0) }).start();
  };
  const newConsumer = (): Promise<Process> =>
    new Process({ target: () => consume(channel, reports, born % 2 === 0) }).start();
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
  while (!channel.isEmpty()) take(await reports.get({ timeout: 20_000 }));
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
