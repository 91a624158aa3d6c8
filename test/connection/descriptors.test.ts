import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'mocha';
import { type Connection, connect, Listener, Pipe, Process } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

/** Runs the body with a connection to a child that does `work` with the other end. */
async function withChild(work: (its: Connection) => Promise<void>, body: (mine: Connection) => Promise<void>) {
  const [mine, its] = Pipe();
  const child = await new Process({ target: () => work(its) }).start();
  its.close();
  await body(mine);
  mine.close();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
}

/** The same with a process that is not related: `script` finds `connection`. */
async function withStranger(script: string, body: (mine: Connection) => Promise<void>): Promise<void> {
  using listener = await Listener.listen();
  const running = runScript(`
    import { connect } from 'posix-multiprocessing';
    import { once } from 'node:events';
    const connection = await connect(${JSON.stringify(listener.address)});
    ${script}
    connection.close();
  `);
  using mine = await listener.accept();
  await body(mine);
  mine.close();
  const { code, stderr } = await running;
  assert.equal(code, 0, stderr);
}

async function listeningServer(): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as net.AddressInfo).port };
}

async function answerOf(port: number, question: string): Promise<string> {
  const client = net.connect(port, '127.0.0.1');
  client.write(question);
  return text(client);
}

const echoOnce = `
  const socket = await connection.recv();
  socket.end(String(await once(socket, 'data')).toUpperCase());
  await once(socket, 'close');
`;

async function sendSocketTo(mine: Connection): Promise<void> {
  const { server, port } = await listeningServer();
  const answer = answerOf(port, 'hello');
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  await mine.send({ deep: [socket] });
  socket.destroy();
  server.close();
  assert.equal(await answer, 'HELLO');
}

async function sendServerTo(mine: Connection): Promise<void> {
  const { server, port } = await listeningServer();
  await mine.send(server);
  server.close();
  assert.equal(await answerOf(port, 'served elsewhere'), 'SERVED ELSEWHERE');
}

async function sendFileTo(mine: Connection): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
  const path = join(folder, 'file');
  const file = await open(path, 'w');
  await file.write('parent, ');
  await mine.send(file);
  await file.close();
  assert.equal(await mine.recv(), 'written');
  assert.equal(readFileSync(path, 'utf8'), 'parent, child');
  rmSync(folder, { recursive: true });
}

async function sendConnectionTo(mine: Connection): Promise<void> {
  const [here, there] = Pipe<number>();
  await mine.send([there, 'and', there]);
  there.close();
  here.sendSync(21);
  assert.equal(await here.recv(), 42);
  await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
  here.close();
}

describe('descriptors in messages', () => {
  it('a net.Socket goes to a child, which answers', async () => {
    const work = async (its: Connection): Promise<void> => {
      const { deep } = (await its.recv()) as { deep: [net.Socket] };
      assert.ok(deep[0] instanceof net.Socket);
      deep[0].end(String(await once(deep[0], 'data')).toUpperCase());
      await once(deep[0], 'close');
    };
    await withChild(work, sendSocketTo);
    await withStranger(echoOnce.replace('const socket', 'const { deep: [socket] }'), sendSocketTo);
  });

  it('what the sender has read of a socket and not used goes along', async () => {
    const { server, port } = await listeningServer();
    const client = net.connect(port, '127.0.0.1');
    client.write('early, ');
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    while (socket.readableLength === 0) await new Promise(setImmediate);
    const [mine, its] = Pipe<net.Socket>();
    await mine.send(socket);
    const there = await its.recv();
    client.end('late');
    assert.equal(await text(there), 'early, late');
    there.destroy();
    socket.destroy();
    server.close();
    await once(there, 'close');
    mine.close();
    its.close();
  });

  it("a net.Server's listening handle goes to a child, which accepts", async () => {
    const work = async (its: Connection): Promise<void> => {
      const server = (await its.recv()) as net.Server;
      const [socket] = (await once(server, 'connection')) as [net.Socket];
      socket.end(String(await once(socket, 'data')).toUpperCase());
      server.close();
      await once(server, 'close');
    };
    await withChild(work, sendServerTo);
    await withStranger(
      `const server = await connection.recv();
       const [socket] = await once(server, 'connection');
       socket.end(String(await once(socket, 'data')).toUpperCase());
       server.close();
       await once(server, 'close');`,
      sendServerTo,
    );
  });

  it('a FileHandle goes to a child, which writes where the parent has left off', async () => {
    const work = async (its: Connection): Promise<void> => {
      const file = (await its.recv()) as FileHandle;
      await file.write('child');
      await file.close();
      await its.send('written');
    };
    await withChild(work, sendFileTo);
    await withStranger(
      `const file = await connection.recv();
       await file.write('child');
       await file.close();
       await connection.send('written');`,
      sendFileTo,
    );
  });

  it('a Connection goes through a one-way pipe', async () => {
    const [receiver, sender] = Pipe<Connection<number>>({ duplex: false });
    const [here, there] = Pipe<number>();
    sender.sendSync(there);
    there.close();
    const arrived = receiver.recvSync();
    arrived.sendSync(1);
    assert.equal(await here.recv(), 1);
    for (const connection of [receiver, sender, here, arrived]) connection.close();
  });

  it('a Connection goes to a child, shared parts and all', async () => {
    const work = async (its: Connection): Promise<void> => {
      const [first, , second] = (await its.recv()) as [Connection<number>, string, Connection<number>];
      assert.equal(first, second);
      await first.send((await first.recv()) * 2);
      first.close();
    };
    await withChild(work, sendConnectionTo);
    await withStranger(
      `const [other] = await connection.recv();
       await other.send((await other.recv()) * 2);
       other.close();`,
      sendConnectionTo,
    );
  });

  it('blocking calls carry them too, and a queue of sends keeps its order', async () => {
    const [mine, its] = Pipe();
    const [here, there] = Pipe<number>();
    mine.sendSync(there);
    const filler = mine.send(Buffer.alloc(2_000_000));
    const waiting = mine.send(there); // sent when the caller has closed it long ago
    there.close();
    const first = its.recvSync() as Connection<number>;
    assert.equal(((await its.recv()) as Buffer).length, 2_000_000);
    const second = (await its.recv()) as Connection<number>;
    await Promise.all([filler, waiting]);
    first.sendSync(1);
    second.sendSync(2);
    assert.deepEqual([here.recvSync(), here.recvSync()], [1, 2]);
    for (const connection of [mine, its, here, first, second]) connection.close();
  });

  it('nothing stays open of what is not delivered', async () => {
    const [mine, its] = Pipe();
    const [here, there] = Pipe();
    mine.sendSync(there);
    const rest = [mine.send(Buffer.alloc(8_000_000)), mine.send(there)];
    there.close();
    assert.ok((await its.recvBytes()).length > 0); // bytes: its descriptor is closed
    its.close();
    for (const sent of rest) await assert.rejects(sent, { code: 'EPIPE' });
    await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
    mine.close();
    here.close();
  });

  it('a value that is refused sends no descriptor', async () => {
    const [mine, its] = Pipe();
    await assert.rejects(mine.send([mine, () => {}]), { message: 'value[1] is a function' });
    const pipes = Array.from({ length: 127 }, () => Pipe());
    await assert.rejects(mine.send(pipes), { code: 'ERR_MP_SERIALIZE', message: /253 descriptors/ });
    for (const connection of pipes.flat()) connection.close();
    const closed = pipes[0]?.[0] as Connection;
    await assert.rejects(mine.send({ closed }), { message: 'value.closed is a closed Connection' });
    await assert.rejects(mine.send(new net.Socket()), { message: 'value is a closed socket' });
    await assert.rejects(mine.send(net.createServer()), { message: 'value is a server that is not listening' });
    assert.equal(its.pollSync(), false);
    mine.close();
    its.close();
  });

  it('a FileHandle needs the event loop to arrive', async () => {
    const [mine, its] = Pipe<FileHandle>();
    const file = await open('/dev/null');
    mine.sendSync(file);
    assert.throws(() => its.recvSync(), { code: 'ERR_MP_SERIALIZE', message: /recv\(\) and get\(\) only/ });
    await file.close();
    mine.close();
    its.close();
  });

  it('do not travel over TCP', async () => {
    using listener = await Listener.listen({ host: '127.0.0.1', port: 0 });
    const [one, other] = await Promise.all([listener.accept(), connect(listener.address)]);
    await assert.rejects(one.send({ other }), {
      message: "value.other has a descriptor, which this channel can't carry",
    });
    one.close();
    other.close();
  });

  it('what is not ours in the ancillary data does no harm', async () => {
    const [mine, its] = Pipe<string>();
    const { readEnd, writeEnd } = posix.pipe();
    const bytes = Buffer.from([0, 0, 0, 1, 0]);
    posix.sendFds(mine.fd, [readEnd], bytes);
    assert.equal(await its.recv(), undefined);
    posix.close(readEnd);
    assert.throws(() => posix.write(writeEnd, bytes), { code: 'EPIPE' });
    posix.close(writeEnd);
    mine.close();
    its.close();
  });
});
