import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Connection, EndOfFileError, Pipe } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';

const endOfFile = { code: 'ERR_MP_EOF' };
const closed = { code: 'ERR_MP_CLOSED' };
const brokenPipe = { code: 'EPIPE', errno: -32 };
const wrongEnd = { code: 'EBADF', errno: -9 };

for (const duplex of [true, false]) {
  describe(`the end of a Pipe({ duplex: ${duplex} })`, () => {
    it('what was sent before the close arrives, then recv says end of file again and again', async () => {
      const [receiver, sender] = Pipe<string>({ duplex });
      using _receiver = receiver;
      await sender.send('last words');
      sender.close();
      assert.equal(await receiver.recv(), 'last words');
      for (let again = 0; again < 3; again += 1) {
        await assert.rejects(receiver.recv(), endOfFile);
        assert.throws(() => receiver.recvSync(), EndOfFileError);
        await assert.rejects(receiver.recvBytes(), endOfFile);
      }
    });

    it('a pending recv learns of it', async () => {
      const [receiver, sender] = Pipe({ duplex });
      using _receiver = receiver;
      const waits = [receiver.recv(), receiver.recv()];
      sender.close();
      for (const wait of waits) await assert.rejects(wait, endOfFile);
    });

    it('send to nobody rejects with EPIPE, again and again, unread messages or not', async () => {
      for (const unread of [0, 1]) {
        const [receiver, sender] = Pipe<string>({ duplex });
        using _sender = sender;
        for (let i = 0; i < unread; i += 1) sender.sendSync('unread');
        receiver.close();
        for (let again = 0; again < 2; again += 1) {
          await assert.rejects(sender.send('x'), brokenPipe);
          assert.throws(() => sender.sendSync('x'), brokenPipe);
        }
      }
    });

    it('a send that waits learns that the reader has gone', async () => {
      const [receiver, sender] = Pipe<Buffer>({ duplex });
      using _sender = sender;
      const large = sender.send(Buffer.alloc(5_000_000));
      const next = sender.send(Buffer.alloc(1));
      await new Promise(setImmediate);
      receiver.close();
      await assert.rejects(large, brokenPipe);
      await assert.rejects(next, brokenPipe);
    });

    it('an end in the middle of a message is told as such', async () => {
      for (const bytes of [[0], [0, 0, 0], [0, 0, 0, 4], [0, 0, 0, 4, 1, 2, 3]]) {
        const [receiver, sender] = Pipe({ duplex });
        using _receiver = receiver;
        posix.write(sender.fd, Uint8Array.from(bytes));
        sender.close();
        const broken = { ...endOfFile, message: /in the middle of a message/ };
        await assert.rejects(receiver.recv(), broken);
        assert.throws(() => receiver.recvSync(), broken);
        await assert.rejects(async () => {
          for await (const _ of receiver);
        }, broken);
      }
    });

    it('iteration ends with the other end and leaves this one open', async () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      using _receiver = receiver;
      for (let i = 0; i < 3; i += 1) sender.sendSync(i);
      sender.close();
      const seen: number[] = [];
      for await (const value of receiver) seen.push(value);
      assert.deepEqual(seen, [0, 1, 2]);
      for await (const value of receiver) assert.fail(String(value));
      assert.equal(receiver.closed, false);
    });
  });
}

describe('the end of a duplex Pipe', () => {
  it('is the end of file too when the peer has left messages unread', async () => {
    const [mine, its] = Pipe<string>();
    using _mine = mine;
    its.sendSync('first');
    mine.sendSync('never read');
    its.close();
    assert.equal(await mine.recv(), 'first');
    for (let again = 0; again < 2; again += 1) await assert.rejects(mine.recv(), endOfFile);
  });
});

describe('Connection.close', () => {
  it('rejects what waits, then every call, and may be repeated', async () => {
    const [first, second] = Pipe<Buffer>();
    using _second = second;
    const waits = [
      first.recv(),
      first.recvBytes({ timeout: 60_000 }),
      first.poll({ timeout: undefined }),
      first.send(Buffer.alloc(5_000_000)),
      first.send(Buffer.alloc(1)),
    ];
    await new Promise(setImmediate);
    first.close();
    first.close();
    assert.equal(first.closed, true);
    for (const wait of waits) await assert.rejects(wait, closed);
    await assert.rejects(first.recv(), closed);
    await assert.rejects(first.send(Buffer.alloc(1)), closed);
    await assert.rejects(first.poll(), closed);
    await assert.rejects(first.recvBytesInto(Buffer.alloc(1)), closed);
    assert.throws(() => first.recvSync(), closed);
    assert.throws(() => first.sendSync(Buffer.alloc(1)), closed);
    assert.throws(() => first.pollSync(), closed);
    assert.throws(() => first.fd, closed);
  });

  it('what the kernel has taken still arrives', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    await sender.send('posted');
    sender.close();
    assert.equal(await receiver.recv(), 'posted');
  });

  it('is called by using and by the garbage collector', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    {
      using _sender = sender;
    }
    await assert.rejects(receiver.recv(), endOfFile);
    const { gc } = globalThis;
    if (gc === undefined) return;
    const kept = ((): Connection => Pipe()[0])();
    using _kept = kept;
    for (let i = 0; !(await kept.poll()); i += 1) {
      gc();
      await new Promise(setImmediate);
      assert.ok(i < 1000, 'the lost end was never closed');
    }
    await assert.rejects(kept.recv(), endOfFile);
  });
});

describe('a one-way Connection', () => {
  it('refuses the wrong direction with EBADF', async () => {
    const [receiver, sender] = Pipe({ duplex: false });
    using _receiver = receiver;
    using _sender = sender;
    await assert.rejects(receiver.send(1), { ...wrongEnd, syscall: 'write' });
    assert.throws(() => receiver.sendBytesSync(new Uint8Array(1)), wrongEnd);
    await assert.rejects(sender.recv(), { ...wrongEnd, syscall: 'read' });
    assert.throws(() => sender.recvSync(), wrongEnd);
    await assert.rejects(sender.poll(), wrongEnd);
    assert.throws(() => sender.pollSync(), wrongEnd);
  });
});

describe('maxLength', () => {
  const tooLong = { code: 'ERR_MP_MESSAGE_TOO_LONG' };

  it('equal is allowed; one byte more is refused', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    sender.sendBytesSync(new Uint8Array(10));
    assert.equal((await receiver.recvBytes({ maxLength: 10 })).length, 10);
    sender.sendBytesSync(new Uint8Array(11));
    await assert.rejects(receiver.recvBytes({ maxLength: 10 }), tooLong);
  });

  it('afterwards a duplex end only sends', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    sender.sendBytesSync(new Uint8Array(11));
    assert.throws(() => receiver.recvBytesSync({ maxLength: 10 }), tooLong);
    assert.deepEqual([receiver.readable, receiver.writable, receiver.closed], [false, true, false]);
    await assert.rejects(receiver.recv(), wrongEnd);
    await receiver.send('still');
    assert.equal(await sender.recv(), 'still');
  });

  it('afterwards a one-way end is closed', async () => {
    for (const sync of [true, false]) {
      const [receiver, sender] = Pipe<string>({ duplex: false });
      using _sender = sender;
      sender.sendBytesSync(new Uint8Array(11));
      if (sync) assert.throws(() => receiver.recvBytesSync({ maxLength: 10 }), tooLong);
      else await assert.rejects(receiver.recvBytes({ maxLength: 10 }), tooLong);
      assert.equal(receiver.closed, true);
      await assert.rejects(receiver.recv(), closed);
    }
  });

  it('an announced length of petabytes allocates nothing', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    posix.write(sender.fd, Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 4, 0, 0, 0, 0, 0, 0]));
    await assert.rejects(receiver.recv(), tooLong);
    assert.equal(receiver.readable, false);
  });
});
