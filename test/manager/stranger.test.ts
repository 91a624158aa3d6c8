/** What a manager's server stands: strangers without the key, and clients that send what is no message. */

import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { describe, it } from 'mocha';
import { type Address, type Connection, connect, Manager, type SyncManager } from 'posix-multiprocessing';
import { serialize } from '#internals';

const authKey = randomBytes(32);
const ROUNDS = 200;

async function withManager(
  body: (manager: SyncManager, address: { host: string; port: number }) => Promise<void>,
): Promise<void> {
  await using manager = await Manager({ address: { host: '127.0.0.1', port: 0 }, authKey });
  const dict = await manager.dict({ here: 'still' });
  await body(manager, manager.address as { host: string; port: number });
  assert.equal(await dict.get('here'), 'still');
}

async function rawSocket({ host, port }: { host: string; port: number }): Promise<Socket> {
  const socket = connectSocket({ host, port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the server has hung up. */
async function hungUp(socket: Socket): Promise<void> {
  socket.resume();
  // once() would reject with what the reset connection reports.
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
}

async function endOf(connection: Connection): Promise<void> {
  await assert.rejects(async () => {
    for (;;) await connection.recv();
  });
  connection.close();
}

describe("a manager's server", () => {
  it('serves on whatever strangers send', async () => {
    await withManager(async (_, address) => {
      for (let round = 0; round < 50; round += 1) {
        const socket = await rawSocket(address);
        socket.write(randomBytes(randomInt(1, 2000)));
        if (round % 2 === 0) socket.destroy();
        else socket.end();
        await hungUp(socket);
      }
      const boast = await rawSocket(address);
      boast.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]));
      await hungUp(boast);
      const longer = await rawSocket(address);
      longer.write(Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(8, 0x7f)]));
      await hungUp(longer);
    });
  });

  it('disconnects clients that send random bytes, and serves the others', async () => {
    await withManager(async (_, address) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const connection = await connect(address, { authKey });
        await connection.sendBytes(randomBytes(randomInt(0, 500))).catch(() => {});
        await endOf(connection);
      }
    });
  });

  it('stands calls that are cut, changed at a byte, or of the wrong shape', async () => {
    await withManager(async (_, address) => {
      const call = Buffer.concat(serialize([[1, 0, 'create', ['dict', [{ a: [1, 2n, 'x', new Map([[1, 2]])] }]]]]));
      for (let length = 0; length < call.length; length += 1) {
        const connection = await connect(address, { authKey });
        await connection.sendBytes(call.subarray(0, length)).catch(() => {});
        await endOf(connection);
      }
      for (let round = 0; round < ROUNDS; round += 1) {
        const changed = Buffer.from(call);
        changed[randomInt(changed.length)] = randomInt(256);
        const connection = await connect(address, { authKey });
        await connection.sendBytes(changed).catch(() => {});
        // Some are calls still: the answer is read, or the end.
        await connection.recv().catch(() => {});
        connection.close();
      }
      for (const message of [
        null,
        5,
        [],
        [1, 0, 'create'],
        ['1', 0, 'create', []],
        [1, 0, 5, []],
        [1, 0, 'x', {}],
        [0.5, 0, 'x', []],
      ]) {
        const connection = await connect(address, { authKey });
        await connection.send(message).catch(() => {});
        await endOf(connection);
      }
    });
  });

  it('answers nonsense with errors', async () => {
    await withManager(async (_, address) => {
      const connection = await connect(address, { authKey });
      const ask = async (object: number, method: string, args: unknown[]): Promise<unknown> => {
        await connection.send([[7, object, method, args]]);
        return ((await connection.recv()) as unknown[])[0];
      };
      for (const [object, method, args] of [
        [0, 'constructor', []],
        [0, '__proto__', []],
        [0, 'toString', []],
        [0, 'hello', ['me']],
        [0, 'create', []],
        [0, 'create', ['toString', []]],
        [0, 'acquire', [99]],
        [0, 'create', ['list', [5]]],
        [99, 'get', []],
        [1, '__proto__', []],
        [1, 'constructor', []],
        [1, 'updateThere', ['x', '/nowhere.js#f']],
        [-1, 'get', []],
      ] as const) {
        const [number, failed] = (await ask(object, method, [...args])) as [number, boolean];
        assert.deepEqual([number, failed], [7, true], `${object}.${method}`);
      }
      assert.equal(((await ask(0, 'release', [1, 1000])) as unknown[])[1], true);
      assert.deepEqual(await ask(0, 'count', []), [7, false, true, Buffer.concat(serialize(1))]);
      for (const bytes of [
        randomBytes(20),
        Buffer.alloc(0),
        Buffer.concat(serialize(5)),
        Buffer.concat(serialize({})).subarray(1),
      ]) {
        await connection.send([[8, 0, 'count', bytes]]);
        const [[number, failed]] = (await connection.recv()) as [[number, boolean]];
        assert.deepEqual([number, failed], [8, true]);
      }
      connection.close();
    });
  });

  it('refuses a message that is too long before it has it', async () => {
    await withManager(async (_, address) => {
      const connection = await connect(address, { authKey });
      const { fd } = connection;
      const { write } = await import('posix-multiprocessing/posix');
      write(fd, Buffer.from([0x7f, 0xff, 0xff, 0xff, 1]));
      await endOf(connection);
    });
  });

  it('is not held up by a client that reads nothing', async () => {
    await withManager(async (manager, address) => {
      const big = await manager.list([Buffer.alloc(1_000_000)]);
      const lazy = await connect(address, { authKey });
      await lazy.send([[1, 0, 'hello', [1]]]);
      await lazy.recv();
      for (let number = 2; number < 50; number += 1) await lazy.send([[number, 2, 'toArray', []]]);
      assert.equal(await big.length(), 1);
      lazy.close();
    });
  });
});

export type { Address };
