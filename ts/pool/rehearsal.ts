/**
 * V8 compiles a function when it is first called: each template would do so, and each worker, on pages that they must copy
 * first. So this process lives a little of their lives on doubles, once, before it forks the first template. Nothing here
 * waits: it is over before the next clean point of the event loop. See rehearse() in ts/fork/child.ts.
 */

import type { Connection } from '../connection/connection.js';
import { socketPipe } from '../connection/pipe.js';
import { encode } from '../serialization/serialize.js';
import { PoolChannel } from './channel.js';
import { CurrentTask } from './current_task.js';
import { taskFunctionOf } from './functions.js';
import { type Assignment, CHUNK, type TaskMessage } from './protocol.js';
import { TaskLoop } from './task_loop.js';
import { type Child, type Request, serve } from './template_life.js';

const echo = (value: unknown): unknown => value;

let isDone = false;

/** No effect after the first call, in forked children too. */
export function rehearsePool(): void {
  if (isDone) return;
  isDone = true;
  rehearse().catch(() => {}); // for want of descriptors, say: who forks in earnest will tell
}

/** A template that is asked for a worker, which does some tasks and leaves. */
async function rehearse(): Promise<void> {
  const channel = new PoolChannel();
  const [pool, template] = socketPipe();
  try {
    submitTasks(channel);
    const assignment: Assignment = {
      channel: channel.theirs,
      initializer: undefined,
      initArgs: [],
      isFresh: false,
      tellsMemory: false,
    };
    const request: Request = { kind: 'start', number: 1, name: 'rehearsal', assignment };
    pool.sendSync(request);
    const start = async (_name: string, _pool: Connection, received: Assignment): Promise<Child> => {
      await new TaskLoop(received, new CurrentTask()).run();
      return child;
    };
    await serve(template, [], start, nextOf(template));
  } finally {
    pool.close();
    template.close();
    channel.close();
  }
}

/** Not the end after it: that would be waited for. */
async function* nextOf(template: Connection): AsyncGenerator<Request> {
  yield (await template.recv()) as Request;
}

const child: Child = {
  pid: process.pid,
  exitCode: 0,
  sendSignal() {},
  join: async () => true,
  close() {},
};

/** One call, chunks of numbers and of other things; nothing follows. */
function submitTasks({ tasks }: PoolChannel): void {
  const { number } = taskFunctionOf(echo, 'fork');
  const messages: TaskMessage[] = [
    [1, number, 0, [1], undefined],
    [2, number, CHUNK, [1, 2], undefined],
    [3, number, CHUNK, ['1', '2'], undefined],
  ];
  for (const message of messages) tasks.put(encode(message, 'message', []), []);
  tasks.end();
}
