/**
 * The same server by node:cluster, to compare with: each worker is a Node of its own and loads the data again.
 *   node out/examples/servers/cluster.js --port 8080 --workers 2 --records 400000
 */

import cluster from 'node:cluster';
import { once } from 'node:events';
import { createApplication } from './application.js';
import { loadItems } from './items.js';
import { readOptions } from './options.js';

const { port, workers, records } = readOptions();

if (cluster.isPrimary) {
  const addresses = await Promise.all(Array.from({ length: workers }, () => once(cluster.fork(), 'listening')));
  const [{ port: found }] = addresses[0] as [{ port: number }];
  console.log(`listening on http://127.0.0.1:${found}/items/1 with ${workers} workers; SIGTERM stops ${process.pid}`);
  process.once('SIGTERM', () => cluster.disconnect());
} else {
  createApplication(loadItems(records)).listen(port, '127.0.0.1');
}
