/** Parent and child greet each other over a pipe. */

import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { greet } = importable(import.meta, {
  greet: async (parent: Connection<string>) => {
    await parent.send('hello from the child');
    console.log(`child received: ${await parent.recv()}`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const [here, there] = Pipe<string>();
  const child = await new Process({ target: greet, args: [there] }).start();
  console.log(`parent received: ${await here.recv()}`);
  await here.send('hello from the parent');
  await child.join();
}
