/** A child that hands on what it receives. */

import { Connection, Queue } from 'posix-multiprocessing';

export default async function echo(receiver: unknown, back: unknown, count: number): Promise<void> {
  if (!(receiver instanceof Connection) || !(back instanceof Queue)) throw new TypeError('a Connection and a Queue');
  for (let i = 0; i < count; i += 1) await back.put(i % 2 === 0 ? receiver.recvSync() : await receiver.recv());
}
