import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { certificate } from '../support/certificate.js';
import { waitFor } from '../support/watchdog.js';

/** What a child does to what it inherited. */
type Harm = () => void;

/** Sent and received through an echo: every byte is counted, and its place. */
class Counted {
  readonly #stream: Duplex;
  sent = 0;
  received = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      for (const byte of chunk) {
        assert.equal(byte, this.received % 251, `byte ${this.received}`);
        this.received += 1;
      }
    });
    // A child may end its copies as it likes.
    const owner = process.pid;
    for (const event of ['error', 'close', 'end']) {
      stream.on(event, (error) => process.pid === owner && assert.fail(error ?? `'${event}' of the connection`));
    }
  }

  send(length: number): void {
    const chunk = Buffer.alloc(length);
    for (let index = 0; index < length; index++) chunk[index] = (this.sent + index) % 251;
    this.sent += length;
    this.#stream.write(chunk);
  }

  async whole(): Promise<void> {
    await waitFor(`${this.sent} bytes of echo`, () => this.received === this.sent);
  }

  end(): void {
    this.#stream.removeAllListeners().destroy();
  }
}

/** Children that do harm, each in its way, then end in one of several ways; three live at a time. */
async function forkThrough(forks: number, harms: readonly Harm[], each: (round: number) => unknown): Promise<void> {
  const living: Process[] = [];
  for (let round = 0; round < forks; round++) {
    const target = async (): Promise<void> => {
      harms[round % harms.length]?.();
      await new Promise((resolve) => setTimeout(resolve, round % 3));
      if (round % 5 === 0) process.kill(process.pid, 'SIGKILL');
      if (round % 5 === 1) process.exit(0);
    };
    living.push(new Process({ target }));
    await living.at(-1)?.start();
    await each(round);
    while (living.length > 3 || (round === forks - 1 && living.length > 0)) {
      const child = living.shift() as Process;
      await child.join();
      assert.equal(child.exitCode, round >= 0 && child.exitCode === -9 ? -9 : 0);
      child.close();
    }
  }
}

function streamHarms(client: net.Socket | tls.TLSSocket, server: net.Server): Harm[] {
  return [
    () => client.write('from the child'),
    () => void client.destroy(),
    () => void client.end('a last word'),
    () => void (client.remoteFamily === undefined ? client.destroySoon() : client.resetAndDestroy()),
    () => void server.close(),
    () => void client.pause(),
    () => void client.setNoDelay().setKeepAlive(true),
  ];
}

async function listen(server: net.Server, path?: string): Promise<number> {
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
  await once(server, 'listening');
  return path === undefined ? (server.address() as net.AddressInfo).port : 0;
}

describe("the parent's connections", function () {
  this.timeout(120_000);

  it('keep every byte of a TCP echo through 200 forks of children that write, end and destroy', async () => {
    const server = net.createServer((socket) => socket.pipe(socket));
    const client = net.connect(await listen(server), '127.0.0.1');
    await once(client, 'connect');
    const echo = new Counted(client);
    await forkThrough(200, streamHarms(client, server), (round) => echo.send((round * 997) % 9_000));
    await echo.whole();
    echo.end();
    server.close();
  });

  it('keep a megabyte that waits to be written when the child is forked', async () => {
    const server = net.createServer((socket) => socket.pipe(socket));
    const client = net.connect(await listen(server), '127.0.0.1');
    await once(client, 'connect');
    const echo = new Counted(client);
    await forkThrough(20, streamHarms(client, server), () => echo.send(1 << 20));
    await echo.whole();
    echo.end();
    server.close();
  });

  it('keep every byte of an echo over a unix socket through 50 forks', async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-unix-'));
    const server = net.createServer((socket) => socket.pipe(socket));
    await listen(server, join(folder, 'socket'));
    const client = net.connect(join(folder, 'socket'));
    await once(client, 'connect');
    const echo = new Counted(client);
    await forkThrough(50, streamHarms(client, server), (round) => echo.send(round * 31));
    await echo.whole();
    echo.end();
    server.close();
    assert.ok(fs.existsSync(join(folder, 'socket')) || !server.listening);
    fs.rmSync(folder, { recursive: true });
  });

  it('keep a TLS session through 100 forks: one record from a child would break it', async () => {
    const { key, cert } = certificate();
    const server = tls.createServer({ key, cert }, (socket) => {
      socket.on('error', (error) => assert.fail(error));
      socket.pipe(socket);
    });
    const client = tls.connect({ port: await listen(server), host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const echo = new Counted(client);
    await forkThrough(100, streamHarms(client, server), (round) => echo.send((round * 997) % 9_000));
    await echo.whole();
    echo.end();
    server.close();
  });

  it('answer every request of an HTTP keep-alive client through 100 forks, on one connection', async () => {
    // A child's requests come on connections of its own.
    const connections = new Set<net.Socket>();
    const server = http.createServer((request, response) => {
      if (request.method === 'POST') connections.add(request.socket);
      let length = 0;
      request.on('data', (chunk: Buffer) => {
        length += chunk.byteLength;
      });
      request.on('end', () => response.end(`${request.url} ${length}`));
    });
    const port = await listen(server);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (round: number): Promise<void> => {
      const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: `/${round}`, agent });
      request.end(Buffer.alloc(round * 100));
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      assert.equal(text, `/${round} ${round * 100}`);
    };
    await post(0);
    const harms: Harm[] = [
      () => agent.destroy(),
      () => void server.close(),
      () => server.closeAllConnections(),
      () => void http.get({ port, host: '127.0.0.1', agent }).on('error', () => {}),
      () => {},
    ];
    await forkThrough(100, harms, (round) => post(round));
    assert.equal(connections.size, 1);
    agent.destroy();
    server.close();
  });

  it('lose no connection that arrives while children of the server live', async () => {
    const owner = process.pid;
    const server = net.createServer((socket) => socket.end(String(process.pid)));
    const port = await listen(server);
    const ask = async (): Promise<string> => {
      let text = '';
      for await (const chunk of net.connect(port, '127.0.0.1').setEncoding('utf8')) text += chunk;
      return text;
    };
    await forkThrough(30, [() => {}, () => void server.close()], async () => {
      assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [`${owner}`, `${owner}`, `${owner}`]);
    });
    server.close();
  });

  it('lose no datagram', async () => {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    let received = 0;
    socket.on('message', () => {
      received += 1;
    });
    const { port } = socket.address();
    let sent = 0;
    await forkThrough(
      30,
      [() => {}, () => void socket.close(), () => socket.send('x', port, '127.0.0.1')],
      async () => {
        sent += 1;
        socket.send('datagram', port, '127.0.0.1');
        await waitFor(`datagram ${sent}`, () => received === sent);
      },
    );
    socket.close();
  });

  it('stay in order when forks are asked for inside the callback that reads', async () => {
    const server = net.createServer((socket) => socket.pipe(socket));
    const client = net.connect(await listen(server), '127.0.0.1');
    await once(client, 'connect');
    const echo = new Counted(client);
    const children: Promise<Process>[] = [];
    client.on('data', () => {
      if (children.length >= 60) return;
      const child = new Process({ target: () => void client.destroy() });
      children.push(children.length % 2 === 0 ? child.start() : Promise.resolve(child.startSync()));
    });
    while (children.length < 60) {
      echo.send(20_000);
      await echo.whole();
    }
    for (const started of children) {
      const child = await started;
      await child.join();
      assert.equal(child.exitCode, 0);
      child.close();
    }
    echo.end();
    server.close();
  });
});
