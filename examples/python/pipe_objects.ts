/** A child sends an object to its parent. */

import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { send } = importable(import.meta, {
  send: async (parent: Connection) => {
    await parent.send([42, null, 'hello']);
    parent.close();
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const [here, there] = Pipe();
  const child = await new Process({ target: send, args: [there] }).start();
  console.log(await here.recv());
  await child.join();
}
