import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { certificate } from '../support/certificate.js';
import { inChild } from '../support/in_child.js';

async function textOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return text;
}

/** A server of this process, and the connections that it has seen. */
async function listen(
  server: http.Server,
): Promise<{ port: number; connections: Set<net.Socket>; end: () => Promise<unknown> }> {
  const connections = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => connections.add(socket));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): Promise<unknown> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    return closed;
  };
  return { port: (server.address() as net.AddressInfo).port, connections, end };
}

const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
  response.end(`${request.url}`);
};

/** `ask` in this process, in children and in a child of a child; this process keeps its connection to the server. */
async function assertAnswered(ask: (path: string) => Promise<string>, connections: Set<net.Socket>): Promise<void> {
  assert.equal(await ask('/one'), '/one');
  assert.equal(await ask('/two'), '/two');
  const [own] = connections;
  const twice = async (): Promise<string> => (await ask('/a')) + (await ask('/b'));
  for (let round = 0; round < 2; round++) {
    assert.equal(await inChild(twice), '/a/b');
    const nested = await inChild(async () => {
      await twice();
      const grandchild = await new Process({
        target: async () => process.exit((await twice()) === '/a/b' ? 6 : 7),
      }).start();
      await grandchild.join();
      return [grandchild.exitCode, await twice()];
    });
    assert.deepEqual(nested, [6, '/a/b']);
  }
  assert.equal(await ask('/three'), '/three');
  assert.equal(own?.destroyed, false);
}

describe('requests of a child to a host that its parent is connected to', function () {
  this.timeout(60_000);

  it('are answered: http with the global agent', async () => {
    const { port, connections, end } = await listen(http.createServer(answer));
    await assertAnswered((path) => textOf(http.get({ host: '127.0.0.1', port, path })), connections);
    await end();
  });

  it('are answered: https with an agent of the program', async () => {
    const { port, connections, end } = await listen(https.createServer(certificate(), answer));
    const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    await assertAnswered((path) => textOf(https.get({ host: '127.0.0.1', port, path, agent })), connections);
    agent.destroy();
    await end();
  });

  it('are answered: fetch', async () => {
    const { port, connections, end } = await listen(http.createServer(answer));
    await assertAnswered(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(), connections);
    await end();
  });

  it("are answered while all connections that an agent may have are the parent's, and its requests wait", async () => {
    const held: http.ServerResponse[] = [];
    const server = http.createServer((request, response) => {
      if (request.url === '/held') held.push(response);
      else answer(request, response);
    });
    const { port, end } = await listen(server);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxTotalSockets: 1 });
    const ask = (path: string): Promise<string> => textOf(http.get({ host: '127.0.0.1', port, path, agent }));
    const first = ask('/held');
    const second = ask('/second');
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(await inChild(async () => [await ask('/c'), await ask('/d')]), ['/c', '/d']);
    held[0]?.end('at last');
    assert.deepEqual(await Promise.all([first, second]), ['at last', '/second']);
    agent.destroy();
    await end();
  });
});
