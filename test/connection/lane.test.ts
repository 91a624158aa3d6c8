import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, describe, it } from 'mocha';
import { type Connection, Pipe, Process, Queue, wait, waitSync } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { stopForkServer } from '#internals';
import { expectExit, start } from '../support/children.js';
import { runScript } from '../support/run_script.js';

/** Longer values go through the socket. */
const LONGEST = 2 * 2 ** 20;

const SIZES = [0, 9, 70, 20_000, 100_000, 600_000];

/** An end that has begun to receive gets the next messages through memory. */
function expectMessages(receiver: Connection): void {
  assert.throws(() => receiver.recvSync({ timeout: 0 }), { code: 'ERR_MP_TIMEOUT' });
}

/** What a reader of another kind finds on the receiver’s socket. */
function bytesOnSocket(receiver: Connection): Uint8Array {
  const buffer = new Uint8Array(1 << 16);
  const count = posix.read(receiver.fd, buffer) ?? 0;
  return buffer.subarray(0, count);
}

function sized(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length, seed);
  if (length >= 8) bytes.writeDoubleLE(seed);
  return bytes;
}

for (const duplex of [true, false]) {
  describe(`Pipe({ duplex: ${duplex} }) through memory`, () => {
    after(stopForkServer);

    it('a message is a byte on the socket for who sleeps, nothing for who does not', () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      expectMessages(receiver);
      for (let i = 0; i < 100; i += 1) sender.sendSync(i);
      for (let i = 0; i < 100; i += 1) assert.equal(receiver.recvSync(), i);
      assert.deepEqual([...bytesOnSocket(receiver)], [0x80]);
      receiver.close();
      sender.close();
    });

    it('who asks for the descriptor first finds all messages on it, in Python’s format', () => {
      const [receiver, sender] = Pipe<Uint8Array>({ duplex });
      assert.equal(receiver.fd, receiver.fd);
      expectMessages(receiver);
      sender.sendBytesSync(Buffer.from('plain'));
      assert.deepEqual(Buffer.from(bytesOnSocket(receiver)), Buffer.from('\0\0\0\x05plain'));
      receiver.close();
      sender.close();
    });

    it('until somebody receives, all messages are on the descriptor', () => {
      const [receiver, sender] = Pipe<Uint8Array>({ duplex });
      sender.sendBytesSync(Buffer.from('early'));
      assert.deepEqual(Buffer.from(bytesOnSocket(receiver)), Buffer.from('\0\0\0\x05early'));
      receiver.close();
      sender.close();
    });

    it('messages of all sizes, with descriptors and without, keep their order', async () => {
      const [receiver, sender] = Pipe({ duplex });
      const child = await start(async () => {
        receiver.close();
        const [passenger, rest] = Pipe();
        rest.close();
        for (let i = 0; i < 3000; i += 1) {
          const size = SIZES[randomInt(SIZES.length)] as number;
          const value = i % 50 === 7 ? { i, passenger } : sized(i % 50 === 31 ? LONGEST + 10 * i : size, i);
          if (i % 2 === 0) sender.sendSync(value);
          else await sender.send(value);
        }
      });
      sender.close();
      for (let i = 0; i < 3000; i += 1) {
        const value = i % 3 === 0 ? receiver.recvSync() : await receiver.recv();
        if (Buffer.isBuffer(value)) {
          if (value.length >= 8) assert.equal(value.readDoubleLE(), i);
          continue;
        }
        const { i: number, passenger } = value as { i: number; passenger: Connection };
        assert.equal(number, i);
        passenger.close();
      }
      await assert.rejects(receiver.recv(), { code: 'ERR_MP_EOF' });
      receiver.close();
      await expectExit(child, 0);
    });

    it('what was sent before the end is there, then the end, again and again', async () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      expectMessages(receiver);
      for (let i = 0; i < 1000; i += 1) sender.sendSync(i);
      sender.close();
      for (let i = 0; i < 500; i += 1) assert.equal(receiver.recvSync(), i);
      for (let i = 500; i < 1000; i += 1) assert.equal(await receiver.recv(), i);
      for (let i = 0; i < 3; i += 1) assert.throws(() => receiver.recvSync(), { code: 'ERR_MP_EOF' });
      assert.equal(receiver.pollSync(), true);
      receiver.close();
    });

    it('the first send after the receiver’s end was closed fails, however many messages are unread', async () => {
      for (const unread of [0, 1, 500]) {
        const [receiver, sender] = Pipe<number>({ duplex });
        expectMessages(receiver);
        for (let i = 0; i < 1 + unread; i += 1) sender.sendSync(i);
        receiver.recvSync();
        receiver.close();
        assert.throws(() => sender.sendSync(1), { code: 'EPIPE' });
        await assert.rejects(sender.send(1), { code: 'EPIPE' });
        sender.close();
      }
    });

    it('who waits for room is told that the receiver was killed', async () => {
      for (const sync of [true, false]) {
        const [receiver, sender] = Pipe<Buffer>({ duplex });
        const child = await start(() => {
          sender.close();
          receiver.recvSync();
          for (;;) posix.poll([], { timeout: 1 });
        });
        receiver.close();
        // It has begun to receive when it has the first.
        sender.sendSync(sized(10, 0));
        const { pid } = child;
        const killer = await start(() => {
          sender.close();
          posix.poll([], { timeout: 0.1 });
          posix.kill(pid as number, 'SIGKILL');
        });
        const fill = async (): Promise<void> => {
          for (;;) {
            if (sync) sender.sendSync(sized(100_000, 1));
            else await sender.send(sized(100_000, 1));
          }
        };
        await assert.rejects(fill(), { code: 'EPIPE' });
        sender.close();
        await expectExit(child, -9);
        await expectExit(killer, 0);
      }
    });

    it('close() rejects a send that waits for room', async () => {
      const [receiver, sender] = Pipe<Buffer>({ duplex });
      expectMessages(receiver);
      const sends = Array.from({ length: 200 }, (_, i) => sender.send(sized(50_000, i)));
      sender.close();
      const outcomes = await Promise.allSettled(sends);
      const refused = outcomes.filter(({ status }) => status === 'rejected');
      assert.ok(refused.length > 0 && refused.length < 200);
      assert.ok(refused.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'ERR_MP_CLOSED'));
      for (let i = 0; i < 200 - refused.length; i += 1) assert.equal((await receiver.recv()).readDoubleLE(), i);
      await assert.rejects(receiver.recv(), { code: 'ERR_MP_EOF' });
      receiver.close();
    });

    it('ten thousand unawaited sends stay in order, into a full lane and through it', async () => {
      const [receiver, sender] = Pipe<Buffer>({ duplex });
      expectMessages(receiver);
      const sends = Array.from({ length: 10_000 }, (_, i) => sender.send(sized(8 + (i % 7) * 100, i)));
      for (let i = 0; i < 10_000; i += 1) assert.equal((await receiver.recv()).readDoubleLE(), i);
      await Promise.all(sends);
      receiver.close();
      sender.close();
    });

    it('wait() and poll() see what is in memory, and only that', async () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      const [other, idle] = Pipe<number>({ duplex });
      for (let round = 0; round < 50; round += 1) {
        expectMessages(receiver);
        assert.deepEqual(waitSync([receiver, other], { timeout: 0 }), []);
        const waits = [wait([other, receiver]), wait([receiver])];
        sender.sendSync(round);
        for (const pending of waits) assert.deepEqual(await pending, [receiver]);
        assert.deepEqual(waitSync([other, receiver]), [receiver]);
        assert.equal(await receiver.poll({ timeout: undefined }), true);
        assert.equal(receiver.recvSync(), round);
        // The byte that woke is still there: it is no message.
        assert.equal(receiver.pollSync(), false);
        assert.equal(await receiver.poll(), false);
        assert.deepEqual(await wait([receiver], { timeout: 1 }), []);
      }
      for (const connection of [receiver, sender, other, idle]) connection.close();
    });

    it('an end that travels takes the messages along, to a forked child, a spawned one and through a queue', async () => {
      for (const startMethod of ['fork', 'spawn', 'forkserver'] as const) {
        const [receiver, sender] = Pipe<number>({ duplex });
        using back = new Queue<number>();
        expectMessages(receiver);
        for (let i = 0; i < 10; i += 1) sender.sendSync(i);
        const child = new Process({
          target: new URL('./lane_echo.js', import.meta.url),
          args: [receiver, back, 20],
          startMethod,
        });
        await child.start();
        receiver.close();
        for (let i = 10; i < 20; i += 1) await sender.send(i);
        for (let i = 0; i < 20; i += 1) assert.equal(await back.get(), i);
        sender.close();
        await expectExit(child, 0);
      }
      using queue = new Queue<Connection<number>>();
      const [receiver, sender] = Pipe<number>({ duplex });
      expectMessages(receiver);
      sender.sendSync(1);
      queue.putNowait(receiver);
      receiver.close();
      const arrived = await queue.get();
      sender.sendSync(2);
      assert.deepEqual([arrived.recvSync(), await arrived.recv()], [1, 2]);
      arrived.close();
      assert.throws(() => sender.sendSync(3), { code: 'EPIPE' });
      sender.close();
    });

    it('processes that share both ends lose nothing and get nothing twice, when some of them are killed', async () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      using found = new Queue<number>();
      const receivers = [0, 1, 2, 3].map((number) => () => {
        sender.close();
        for (;;) {
          const value = receiver.recvSync();
          if (value === -1) return;
          found.putSync(value);
          if (number === 3 && value > 300) posix.kill(process.pid, 'SIGKILL');
        }
      });
      const senders = [0, 1, 2].map((number) => () => {
        receiver.close();
        for (let i = 0; i < 2000; i += 1) {
          sender.sendSync(i * 3 + number);
          if (number === 2 && i === 1000) posix.kill(process.pid, 'SIGKILL');
        }
      });
      const children = await Promise.all([...receivers, ...senders].map(start));
      await Promise.all(children.slice(4).map((child) => child.join()));
      for (let i = 0; i < 4; i += 1) sender.sendSync(-1);
      await Promise.all(children.map((child) => child.join()));
      const values: number[] = [];
      while (found.size > 0) values.push(found.getNowait());
      const expected = Array.from({ length: 2000 }, (_, i) => [i * 3, i * 3 + 1, ...(i <= 1000 ? [i * 3 + 2] : [])]);
      assert.deepEqual(
        values.sort((a, b) => a - b),
        expected.flat(),
      );
      for (const child of children) child.close();
      receiver.close();
      sender.close();
    });
  });
}

describe('Pipe through memory', () => {
  it('does without where the system refuses the memory', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { Pipe } from 'posix-multiprocessing';
      import * as posix from 'posix-multiprocessing/posix';
      posix.setrlimit('fsize', { soft: 1_000_000, hard: posix.getrlimit('fsize').hard });
      const [receiver, sender] = Pipe();
      try { receiver.recvSync({ timeout: 0 }); } catch {}
      sender.sendSync('through the socket');
      console.log(receiver.recvSync());
    `);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), 'through the socket');
  });

  it('leaves no descriptor behind, closed or lost', async () => {
    const { code, stdout, stderr } = await runScript(
      `
      import { Pipe } from 'posix-multiprocessing';
      import { readdirSync, readlinkSync } from 'node:fs';
      const target = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
      const count = () => readdirSync('/proc/self/fd').filter((fd) => /socket|memfd/.test(target(fd))).length;
      const lose = () => { for (let i = 0; i < 20; i += 1) { const [a, b] = Pipe(); a.recv({ timeout: 0 }).catch(() => {}); b.sendSync(1); } };
      for (const [a, b] of [Pipe()]) { a.close(); b.close(); }
      const before = count();
      for (let i = 0; i < 20; i += 1) { const [a, b] = Pipe(); b.sendSync(1); a.recvSync(); a.close(); b.close(); }
      console.log(count() - before);
      lose();
      const until = performance.now() + 50_000;
      while (count() > before && performance.now() < until) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
      console.log(count() - before);
    `,
      { nodeFlags: ['--expose-gc'] },
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), ['0', '0']);
  });
});
