import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describe, it } from 'mocha';
import { type Connection, JoinableQueue, Listener, Pipe, Process, Queue } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';

async function inChild(target: () => unknown, body: () => Promise<void>): Promise<void> {
  const child = await new Process({ target }).start();
  await body();
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
}

describe('a Queue in a message', () => {
  it('is the same queue: bounds, order, values, end', async () => {
    const [mine, its] = Pipe<Queue<number>>();
    using queue = new Queue<number>(2);
    await mine.send(queue);
    using same = await its.recv();
    assert.ok(same instanceof Queue && !(same instanceof JoinableQueue));
    same.putNowait(1);
    queue.putNowait(2);
    assert.equal(same.isFull(), true);
    assert.deepEqual([queue.getNowait(), same.getNowait()], [1, 2]);
    same.end();
    await assert.rejects(queue.get(), { code: 'ERR_MP_EOF' });
    mine.close();
    its.close();
  });

  it('travels through a queue, and outlives its maker', async () => {
    using post = new Queue<JoinableQueue<string>>();
    await inChild(
      () => {
        using queue = new JoinableQueue<string>();
        queue.putSync('from who is gone');
        post.putSync(queue);
      },
      async () => {},
    );
    using queue = await post.get();
    assert.ok(queue instanceof JoinableQueue);
    assert.equal(queue.getNowait(), 'from who is gone');
    queue.taskDone();
    assert.equal(await queue.join(), true);
  });

  it('reaches a process that is not related', async () => {
    using queue = new Queue<{ answer: number }>();
    using listener = await Listener.listen();
    const running = runScript(`
      import { connect } from 'posix-multiprocessing';
      const connection = await connect(${JSON.stringify(listener.address)});
      const queue = await connection.recv();
      queue.putSync({ answer: (await queue.get()).answer * 2 });
      connection.close();
    `);
    queue.putNowait({ answer: 21 });
    const connection = await listener.accept();
    await connection.send(queue);
    await assert.rejects(connection.recv(), { code: 'ERR_MP_EOF' });
    assert.deepEqual(queue.getNowait(), { answer: 42 });
    const { code, stderr } = await running;
    assert.equal(code, 0, stderr);
    connection.close();
  });

  it('closed, is refused', () => {
    const queue = new Queue();
    queue.close();
    using other = new Queue();
    assert.throws(() => other.putNowait({ queue }), { message: 'item.queue is a closed queue' });
  });
});

describe('descriptors in a Queue', () => {
  it('arrive with their message, whoever takes it, though the producer is gone', async () => {
    using queue = new Queue<[number, Connection<string>]>();
    const pipes = [0, 1, 2].map(() => Pipe<string>());
    await inChild(
      async () => {
        for (const [index, [, its]] of pipes.entries()) {
          if (index % 2 === 0) queue.putSync([index, its]);
          else await queue.put([index, its]);
        }
      },
      async () => {},
    );
    for (const [, its] of pipes) its.close();
    await inChild(
      () => {
        const [index, connection] = queue.getSync();
        connection.sendSync(`${index} in the child`);
      },
      async () => {},
    );
    for (const [index, [mine]] of pipes.entries()) {
      if (index > 0) {
        const [number, connection] = await queue.get();
        assert.equal(number, index);
        await connection.send(`${index} at home`);
        connection.close();
      }
      assert.match(await mine.recv(), new RegExp(`^${index} `));
      await assert.rejects(mine.recv(), { code: 'ERR_MP_EOF' });
      mine.close();
    }
  });

  it('wait with their message for room, and are the sender’s no more', async () => {
    using queue = new Queue(1);
    const [here, there] = Pipe<string>();
    queue.putNowait('first');
    const waiting = queue.put({ there, large: Buffer.alloc(100_000) });
    there.close();
    assert.equal(queue.getNowait(), 'first');
    await waiting;
    const { there: arrived } = (await queue.get()) as { there: Connection<string> };
    arrived.sendSync('still open');
    assert.equal(await here.recv(), 'still open');
    arrived.close();
    await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
    here.close();
  });

  it('more than the kernel holds wait for their turn', async () => {
    using queue = new Queue<[number, Connection]>();
    const [here, there] = Pipe();
    const puts: Promise<void>[] = [];
    for (let i = 0; i < 600; i += 1) puts.push(queue.put([i, there]));
    for (let i = 0; i < 600; i += 1) {
      const [number, connection] = await queue.get();
      assert.equal(number, i);
      connection.close();
    }
    await Promise.all(puts);
    here.close();
    there.close();
  });

  it('a FileHandle arrives by get()', async () => {
    using queue = new Queue<FileHandle>();
    const file = await open('/proc/self/cmdline');
    await queue.put(file);
    await file.close();
    const received = await queue.get();
    assert.equal(await received.readFile('utf8'), readFileSync('/proc/self/cmdline', 'utf8'));
    await received.close();
  });

  it('of values that nobody took are closed with the queue', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    const queue = new Queue<Connection>();
    const [here, there] = Pipe();
    queue.putNowait(there);
    there.close();
    queue.close();
    await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
    here.close();
    await waitFor('descriptors to be closed', () => count() === before);
  });
});
