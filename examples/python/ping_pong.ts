/** Two children share one pipe, an end each. Nobody joins them: a program waits for its children by itself. */

import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { first, second } = importable(import.meta, {
  first: async (pipe: Connection<string>) => {
    await pipe.send('hello');
    console.log(`first received: ${await pipe.recv()}`);
  },
  second: async (pipe: Connection<string>) => {
    console.log(`second received: ${await pipe.recv()}`);
    await pipe.send('hello, too');
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const [left, right] = Pipe<string>();
  await new Process({ target: first, args: [left] }).start();
  await new Process({ target: second, args: [right] }).start();
}
