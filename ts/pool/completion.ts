/** Waiting for several futures. */

import { TimeoutError } from '../errors.js';
import { type Deadline, deadlineOf, millisecondsLeft, signalOf, type WaitOptions } from '../internal/deadline.js';
import { invalidArgType, invalidArgValue } from '../internal/validate.js';
import { Future, type Outcome } from './future.js';

/** A future that is done, with its outcome: a bare one would be awaited away by `for await`. Python: the future itself. */
export type Completed<R> = { future: Future<R> } & PromiseSettledResult<R>;

/** What waitFutures() waits for. Python: the constants of the same names. */
export type ReturnWhen = 'ALL_COMPLETED' | 'FIRST_COMPLETED' | 'FIRST_EXCEPTION';

const RETURN_WHEN: readonly ReturnWhen[] = ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'];
const LONGEST_TIMER = 2 ** 31 - 1;

function setOf<R>(futures: Iterable<Future<R>>): Set<Future<R>> {
  if (typeof futures !== 'object' || futures === null || !(Symbol.iterator in futures)) {
    throw invalidArgType('futures', 'an iterable of Futures', futures);
  }
  const all = new Set(futures);
  for (const future of all) {
    if (!(future instanceof Future)) throw invalidArgType('futures', 'an iterable of Futures', future);
  }
  return all;
}

/** Calls back at the deadline; returns what calls that off. */
function atDeadline(deadline: Deadline, callback: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const left = millisecondsLeft(deadline);
    if (left === 0) callback();
    else if (left > 0) timer = setTimeout(wait, Math.min(Math.ceil(left), LONGEST_TIMER));
  };
  wait();
  return () => clearTimeout(timer);
}

/**
 * Each future once, as it is done, with its outcome as Promise.allSettled() has it. The time (milliseconds) counts from the
 * call. Doesn't block.
 *
 * Python: `concurrent.futures.as_completed`
 * @throws ERR_MP_TIMEOUT, after what was done; the signal's reason; ERR_INVALID_ARG_TYPE at once.
 *
 * @example
 * for await (const { future, status } of asCompleted(futures, { timeout: 10_000 })) console.log(names.get(future), status);
 */
export function asCompleted<R>(
  futures: Iterable<Future<R>>,
  options?: WaitOptions,
): AsyncIterableIterator<Completed<R>> {
  return complete(setOf(futures), deadlineOf(options), signalOf(options));
}

async function* complete<R>(
  all: ReadonlySet<Future<R>>,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): AsyncGenerator<Completed<R>, void, undefined> {
  const done: Future<R>[] = [];
  let wake: () => void = () => {};
  for (const future of all) {
    future.addDoneCallback(() => {
      done.push(future);
      wake();
    });
  }
  for (let count = 0; count < all.size; count += 1) {
    if (done.length === 0) await waitForOne(all.size - count);
    const future = done.shift() as Future<R>;
    const outcome = future.outcome as Outcome<R>;
    yield { future, ...outcome };
  }

  function waitForOne(left: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (settle: () => void): void => {
        callOff();
        signal?.removeEventListener('abort', onAbort);
        wake = () => {};
        settle();
      };
      const onAbort = (): void => leave(() => reject(signal?.reason));
      let callOff = (): void => {};
      wake = () => leave(resolve);
      signal?.addEventListener('abort', onAbort, { once: true });
      callOff = atDeadline(deadline, () =>
        leave(() => reject(new TimeoutError(`${left} (of ${all.size}) futures are not done`))),
      );
    });
  }
}

/**
 * Resolves when all are done, or the first, or the first that fails (all, if none does), or when the time is up, `timeout`
 * in milliseconds: which are done then, and which are not.
 *
 * Python: `concurrent.futures.wait`
 * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE.
 */
export async function waitFutures<R>(
  futures: Iterable<Future<R>>,
  options: { timeout?: number; returnWhen?: ReturnWhen } = {},
): Promise<{ done: Set<Future<R>>; notDone: Set<Future<R>> }> {
  const all = setOf(futures);
  const deadline = deadlineOf(options);
  const { returnWhen = 'ALL_COMPLETED' } = options;
  if (!RETURN_WHEN.includes(returnWhen)) {
    throw invalidArgValue('options.returnWhen', `must be one of ${RETURN_WHEN.join(', ')}`, returnWhen);
  }
  const isEnough = (): boolean => {
    const done = [...all].filter((future) => future.done);
    if (done.length === all.size) return true;
    if (returnWhen === 'FIRST_COMPLETED') return done.length > 0;
    const hasFailed = (future: Future<R>): boolean => future.outcome?.status === 'rejected' && !future.cancelled;
    return returnWhen === 'FIRST_EXCEPTION' && done.some(hasFailed);
  };
  await new Promise<void>((resolve) => {
    let left = all.size;
    const callOff = atDeadline(deadline, resolve);
    const end = (): void => {
      callOff();
      resolve();
    };
    if (isEnough()) end();
    for (const future of all) {
      future.addDoneCallback(() => {
        left -= 1;
        if (left === 0 || (returnWhen !== 'ALL_COMPLETED' && isEnough())) end();
      });
    }
  });
  const done = new Set([...all].filter((future) => future.done));
  return { done, notDone: new Set([...all].filter((future) => !done.has(future))) };
}
