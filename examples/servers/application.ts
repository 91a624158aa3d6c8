/** What the server answers, whoever runs it: nothing here knows of processes. */

import http from 'node:http';
import { text } from 'node:stream/consumers';
import type { Items } from './items.js';

/**
 * `GET /items/ID` gives an item; `POST /total`, with ids line by line, the sum of their prices. Each answer says in
 * `x-worker` which process it comes from.
 */
export function createApplication(items: Items): http.Server {
  const answer = (response: http.ServerResponse, status: number, body: unknown): void => {
    // A client that would use its connection again must not come back to a server that is about to go.
    if (!server.listening) response.setHeader('connection', 'close');
    response.setHeader('x-worker', process.pid);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  const total = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const ids = (await text(request)).split('\n').filter(Boolean);
    const prices = ids.map((id) => items.get(Number(id))?.price ?? 0);
    answer(response, 200, { items: ids.length, total: prices.reduce((sum, price) => sum + price, 0) });
  };

  const server = http.createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/total') {
      total(request, response).catch(() => response.destroy()); // the client has gone
      return;
    }
    const [, id] = /^\/items\/(\d+)$/.exec(request.url ?? '') ?? [];
    const item = request.method === 'GET' ? items.get(Number(id)) : undefined;
    if (item === undefined) answer(response, 404, { error: `nothing at ${request.method} ${request.url}` });
    else answer(response, 200, item);
  });
  return server;
}
