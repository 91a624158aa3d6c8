/** What workers of every start method run in the tests. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, carryContext, currentProcess, importable, Pool, taskSignal } from 'posix-multiprocessing';

export const request = carryContext('test-request', new AsyncLocalStorage<unknown>());

/** Of a class that nobody has registered. */
export class OddError extends Error {
  readonly detail = 7;
}

let prepared: unknown;

export const {
  square,
  add,
  later,
  whoAmI,
  fail,
  failOddly,
  failWithText,
  exitWith,
  killYourself,
  returnFunction,
  returnSecondFunction,
  wait,
  heed,
  spin,
  heedInLoop,
  neverSettle,
  prepare,
  tellPrepared,
  failToPrepare,
  exitInsteadOfPreparing,
  nested,
  tellRequest,
  echo,
  meet,
  hoard,
} = importable(import.meta, {
  square: (x: number) => x * x,
  add: (a: number, b: number) => a + b,
  later: async (x: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    return x * 10;
  },
  whoAmI: () => ({ pid: process.pid, name: currentProcess().name, daemon: currentProcess().daemon }),
  fail: (message: string) => {
    throw new RangeError(message);
  },
  failOddly: () => {
    throw new OddError('odd');
  },
  failWithText: () => {
    const text: unknown = 'just text';
    throw text;
  },
  exitWith: (code: number) => process.exit(code),
  killYourself: (signal: NodeJS.Signals) => {
    process.kill(process.pid, signal);
    for (;;);
  },
  returnFunction: () => ({ deep: { callback: () => {} } }),
  returnSecondFunction: (x: number) => (x === 2 ? () => {} : x),
  /** Waits whatever it is told. */
  wait: async (milliseconds: number) => {
    await delay(milliseconds);
    return milliseconds;
  },
  /** Ends when it is aborted. */
  heed: async () => {
    await delay(600_000, undefined, taskSignal() === undefined ? {} : { signal: taskSignal() as AbortSignal });
    return 'not aborted';
  },
  spin: () => {
    for (;;);
  },
  heedInLoop: () => {
    const signal = taskSignal();
    while (signal?.aborted !== true);
    throw signal.reason;
  },
  neverSettle: () => new Promise(() => {}),
  prepare: async (value: unknown) => {
    await new Promise((resolve) => setImmediate(resolve));
    prepared = value;
  },
  tellPrepared: () => prepared,
  failToPrepare: () => {
    throw new TypeError('not today');
  },
  exitInsteadOfPreparing: () => process.exit(5),
  nested: async (x: number) => {
    await using inner = new Pool(1);
    return inner.apply(square, [x]);
  },
  tellRequest: () => request.getStore(),
  echo: (value: unknown) => value,
  /** Ends when somebody else has called it with the other end. */
  meet: async (end: Connection<number>) => {
    await end.send(process.pid);
    const other = await end.recv();
    end.close();
    return [process.pid, other];
  },
  hoard: () => {
    const all: unknown[] = [];
    for (;;) all.push(new Array(100_000).fill(all.length));
  },
});
