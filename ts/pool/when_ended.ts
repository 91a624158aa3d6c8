/** Waiting for the end of a pool. */

import { type Deadline, millisecondsLeft } from '../internal/deadline.js';

const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves true when it has ended, false on time-out; rejects with the signal's reason. Keeps the process alive. */
export function whenEnded(ended: Promise<void>, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const leave = (settle: () => void): void => {
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => leave(() => reject(signal?.reason));
    const wait = (): void => {
      if (isOver) return;
      const left = millisecondsLeft(deadline);
      if (left === 0) leave(() => resolve(false));
      else timer = setTimeout(wait, left < 0 ? LONGEST_TIMER : Math.min(Math.ceil(left), LONGEST_TIMER));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    void ended.then(() => leave(() => resolve(true)));
    // Who asks once is to see an end that has come.
    setImmediate(wait);
  });
}
