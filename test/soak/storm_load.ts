/** What keeps a process busy while it forks, and what its children do: for fork_storm_driver.ts. */

import { pbkdf2, randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { readFile, stat } from 'node:fs';
import { readFile as read } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { deflate, inflate } from 'node:zlib';
import { below, type Random } from '../support/random_values.js';

/** Garbage of all ages, fresh functions to optimise, maps that change shape. */
export function churn(rounds: number): number {
  let checksum = 0;
  for (let round = 0; round < rounds; round++) {
    const compiled = new Function(
      'n',
      `let s = ${round}; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;`,
    ) as (n: number) => number;
    checksum ^= compiled(20_000);
    const objects = Array.from({ length: 2_000 }, (_, index) => ({
      index,
      text: `item ${index}`,
      [`key${index % 50}`]: round,
    }));
    const again = JSON.parse(JSON.stringify(objects)) as { index: number }[];
    checksum ^= again.reduce((sum, { index }) => (sum + index) | 0, 0);
  }
  return checksum;
}

// The types of Node 20 have none.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Module: new (code: Uint8Array) => object; compile(code: Uint8Array): Promise<object> };
};

/** A module of many small functions: enough to compile for several threads. */
function wasmModule(functions: number): Uint8Array {
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
  const section = (id: number, bytes: number[]): number[] => [id, ...leb(bytes.length), ...bytes];
  const vector = (items: number[][]): number[] => [...leb(items.length), ...items.flat()];
  // local.get 0, i32.const 2, i32.mul, again and again
  const body = [0, 32, 0, ...Array.from({ length: 50 }, () => [65, 2, 108]).flat(), 11];
  const many = <T>(item: T): T[] => Array.from({ length: functions }, () => item);
  return Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...section(1, [1, 96, 1, 127, 1, 127]),
    ...section(3, vector(many([0]))),
    ...section(10, vector(many([...leb(body.length), ...body]))),
  ]);
}
const wasm = wasmModule(200);

/** Requests and timers that the parent has under way; each must end there, once. */
export interface Tally {
  asked: number;
  answered: number;
}

/**
 * Keeps compiler, collector, libuv's pool and timers of this process busy between the events of the loop, until told to stop;
 * resolves when what was under way has ended. `ghost` is called when any of it runs in another process.
 */
export function keepBusy(random: Random, ghost: () => void): { tally: Tally; stop: () => Promise<void> } {
  const owner = process.pid;
  const tally: Tally = { asked: 0, answered: 0 };
  let busy = true;
  let idle = (): void => {};
  const kept: unknown[] = [];

  const lane = (ask: (answered: () => void) => void): void => {
    tally.asked += 1;
    ask(() => {
      if (process.pid !== owner) ghost();
      tally.answered += 1;
      if (busy) lane(ask);
      else if (tally.asked === tally.answered) idle();
    });
  };
  lane((done) => {
    churn(1);
    kept[below(random, 300)] = Array.from({ length: 1_000 }, (_, index) => ({ index, next: [index] }));
    if (random() < 0.02) globalThis.gc?.();
    if (random() < 0.05) kept[0] = new WebAssembly.Module(wasm);
    setImmediate(done);
  });
  lane((done) => setTimeout(done, below(random, 20)));
  lane((done) => void Promise.resolve().then(() => setTimeout(done, 1)));
  for (let requests = 0; requests < 3; requests++) {
    lane((done) => pbkdf2('secret', 'salt', 1 + below(random, 4_000), 32, 'sha256', done));
  }
  lane((done) => stat('/', done));
  lane((done) => readFile('/proc/self/maps', done));
  lane((done) => lookup('localhost', done));
  lane((done) => deflate(randomBytes(1 + below(random, 50_000)), done));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      busy = false;
      idle = resolve;
    });
  return { tally, stop };
}

/** Throws when something of a process does not work. */
export async function everythingWorks(withWorker: boolean): Promise<void> {
  const works: Promise<unknown>[] = [
    read('/proc/self/stat', 'utf8').then((text) => {
      if (!text.startsWith(`${process.pid} `)) throw new Error('/proc/self is another process');
    }),
    promisify(deflate)(randomBytes(20_000)).then(async (packed) => {
      if ((await promisify(inflate)(packed)).byteLength !== 20_000) throw new Error('inflate lost bytes');
    }),
    promisify(lookup)('localhost'),
    WebAssembly.compile(wasm),
    new Promise((resolve) => setTimeout(resolve, 1)),
  ];
  if (withWorker) {
    works.push(
      new Promise((resolve, reject) =>
        new Worker('', { eval: true, execArgv: [] }).once('error', reject).once('exit', resolve),
      ),
    );
  }
  await Promise.all(works);
}
