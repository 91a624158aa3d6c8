/** What the compiler knows of tasks: checked by building this file. A line that should not compile and does fails the build. */

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  asCompleted,
  type Completed,
  type Future,
  importable,
  Pool,
  type ProcessPoolExecutor,
  waitFutures,
} from 'posix-multiprocessing';
import * as tasks from './tasks.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when both are the same type. */
function same<A, B>(isSame: Equal<A, B>): void {
  assert.equal(isSame, true);
}

const { length, sum } = importable(import.meta, {
  length: (text: string) => text.length,
  sum: async (a: number, b: bigint) => Number(BigInt(a) + b),
});

/** Never called. */
export async function compiles(pool: Pool, executor: ProcessPoolExecutor): Promise<void> {
  const applied = await pool.apply((a: number, b: string) => [a, b] as const, [1, 'two']);
  same<typeof applied, readonly [number, string]>(true);
  // @ts-expect-error: a wrong argument
  await pool.apply((a: number) => a, ['one']);
  // @ts-expect-error: one too few
  await pool.apply((a: number, b: number) => a + b, [1]);
  const counted = await pool.apply(length, ['text']);
  same<typeof counted, number>(true);
  // @ts-expect-error: importable functions have types as well
  await pool.apply(length, [5]);
  const added = await pool.apply(sum, [1, 2n]);
  same<typeof added, number>(true);

  const mapped = await pool.map(length, ['a', 'b']);
  same<typeof mapped, number[]>(true);
  const awaited = await pool.map(async (x: number) => `${x}`, new Set([1]));
  same<typeof awaited, string[]>(true);
  // @ts-expect-error: wrong items
  await pool.map(length, [1, 2]);
  const star = await pool.starmap(sum, [[1, 2n]]);
  same<typeof star, number[]>(true);
  // @ts-expect-error: wrong items
  await pool.starmap(sum, [[1, 2]]);

  for await (const square of pool.imap(
    tasks.square,
    (async function* () {
      yield 1;
    })(),
  )) {
    same<typeof square, number>(true);
  }
  for await (const text of pool.imapUnordered((x: number) => `${x}`, [1])) same<typeof text, string>(true);

  const future = executor.submit(sum, 1, 2n);
  same<typeof future, Future<number>>(true);
  same<Awaited<typeof future>, number>(true);
  // @ts-expect-error: a wrong argument
  executor.submit(sum, 1, 2);
  for await (const completed of asCompleted([future])) {
    same<typeof completed, Completed<number>>(true);
    if (completed.status === 'fulfilled') same<typeof completed.value, number>(true);
    else assert(completed.reason);
  }
  const { done } = await waitFutures([future]);
  same<typeof done, Set<Future<number>>>(true);

  // @ts-expect-error: no such option
  pool = new Pool({ workers: 3 });
  assert(pool);
}

describe('the types of tasks', () => {
  it('are checked by the compiler', () => {
    assert.equal(typeof compiles, 'function');
  });
});
