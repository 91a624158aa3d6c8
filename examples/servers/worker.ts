/** The life of a worker: accept, answer, and leave when told to. */

import { once } from 'node:events';
import type http from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';

/** Serves what comes to the listening socket `fd`. After SIGTERM or SIGINT: resolves when all is answered. */
export async function serve(server: http.Server, fd: number): Promise<void> {
  const told = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => resolve());
  });
  server.listen({ fd });
  await told;
  // Two turns have a poll between them: who is in the queue already is let in.
  await turn();
  await turn();
  server.close(); // accepts no more and closes idle connections; the others may finish
  await once(server, 'close');
}
