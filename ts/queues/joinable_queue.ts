/** JoinableQueue: a queue that knows when all its values have been dealt with. */

import { OverReleaseError } from '../errors.js';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import type { Patience } from '../internal/request_line.js';
import { Queue, registerQueue } from './queue.js';

/** Time is up: join() answers false. */
class NotDone extends Error {}

/**
 * A Queue whose consumers say taskDone() for each value they have dealt with; join() waits until that has been said of
 * all that were put. Who dies between get() and taskDone() leaves one that nobody will count: join() with a timeout, or
 * call taskDone() in its place.
 *
 * Python: `multiprocessing.JoinableQueue`
 *
 * @example
 * for await (const job of queue) {
 *   await work(job);
 *   queue.taskDone();
 * }
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  /**
   * One value that was taken has been dealt with. Doesn't block.
   *
   * Python: `JoinableQueue.task_done`
   * @throws ERR_MP_OVER_RELEASE: that has been said of all that were put; ERR_MP_CLOSED.
   */
  taskDone(): void {
    if (!this.countDone()) throw new OverReleaseError('taskDone() was called for more values than were put');
  }

  /**
   * Resolves true once taskDone() has been called for every value that was put, false on time-out (milliseconds).
   *
   * Python: `JoinableQueue.join`
   * @throws ERR_MP_CLOSED, also when this process closes the queue meanwhile.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    try {
      await this.whenAllDone(patienceOf(options));
      return true;
    } catch (error) {
      return falseIfNotDone(error);
    }
  }

  /** join(), blocking. Python: `JoinableQueue.join` */
  joinSync(options?: SyncWaitOptions): boolean {
    try {
      this.waitAllDone(patienceOf(options));
      return true;
    } catch (error) {
      return falseIfNotDone(error);
    }
  }
}

registerQueue('JoinableQueue', JoinableQueue);

function patienceOf(options: WaitOptions | undefined): Patience {
  return { deadline: deadlineOf(options), signal: signalOf(options), expired: () => new NotDone() };
}

function falseIfNotDone(error: unknown): false {
  if (error instanceof NotDone) return false;
  throw error;
}
