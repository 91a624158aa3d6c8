/**
 * An HTTP server that loads its data once and forks workers that accept on one port. See README.md beside this file.
 *   node out/examples/servers/main.js --port 8080 --workers 2 --records 400000
 */

import { warmup } from 'posix-multiprocessing';
import { createApplication } from './application.js';
import { loadItems } from './items.js';
import { ListeningSocket } from './listening_socket.js';
import { readOptions } from './options.js';
import { Supervisor } from './supervisor.js';
import { serve } from './worker.js';

const { port, workers, records } = readOptions();
const items = loadItems(records);
await warmup(); // what the workers then share stays shared

const socket = await ListeningSocket.open(port, '127.0.0.1');
const supervisor = new Supervisor(() => serve(createApplication(items), socket.fd), console.error);
const stop = (): void => {
  for (const signal of ['SIGTERM', 'SIGINT']) process.off(signal, stop); // a second one ends this process at once
  socket.close();
  supervisor.stop();
};
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stop);

console.log(
  `listening on http://127.0.0.1:${socket.port}/items/1 with ${workers} workers; SIGTERM stops ${process.pid}`,
);
await supervisor.run(workers);
