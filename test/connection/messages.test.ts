import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Connection, Pipe } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { registerCodec } from '#internals';
import { collectGarbage } from '../support/memory.js';

const values = [
  undefined,
  null,
  0,
  -1.5,
  'text',
  'ü',
  10n,
  [1, [2]],
  { a: { b: 1 } },
  new Map([[1, new Date(0)]]),
  Buffer.from('b'),
];

for (const duplex of [true, false]) {
  describe(`Pipe({ duplex: ${duplex} })`, () => {
    it('carries values, awaited or blocking', async () => {
      const [receiver, sender] = Pipe({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      for (const value of values) {
        await sender.send(value);
        assert.deepEqual(await receiver.recv(), value);
        sender.sendSync(value);
        assert.deepEqual(receiver.recvSync(), value);
      }
    });

    it('large values are the receiver’s own, as many as it keeps, also where their memory is used again', async () => {
      const [receiver, sender] = Pipe<Buffer>({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      const through = async (i: number): Promise<Buffer> => {
        const sent = sender.send(Buffer.alloc(32_768 + 997 * i, i));
        const value = i % 2 === 0 ? await receiver.recv() : receiver.recvSync();
        await sent;
        return value;
      };
      for (let round = 0; round < 3; round += 1) {
        const kept: Buffer[] = [];
        for (let i = 0; i < 100; i += 1) kept.push(await through(i));
        for (const [i, value] of kept.entries()) assert.ok(value.equals(Buffer.alloc(32_768 + 997 * i, i)), `${i}`);
        kept.length = 0;
        await collectGarbage();
      }
    });

    it('a value is whole when other messages are sent, or its connection closed, while it is serialised', async () => {
      const [receiver, sender] = Pipe({ duplex });
      using _receiver = receiver;
      const sendingMeanwhile = (send: () => void) => ({
        before: 'b'.repeat(50),
        get middle() {
          send();
          return 'm';
        },
        after: 'a'.repeat(50),
      });
      const whole = { before: 'b'.repeat(50), middle: 'm', after: 'a'.repeat(50) };
      for (let round = 0; round < 2; round += 1) {
        sender.sendSync(sendingMeanwhile(() => sender.sendSync('value')));
        assert.deepEqual([await receiver.recv(), receiver.recvSync()], ['value', whole]);
        sender.sendSync(sendingMeanwhile(() => sender.sendBytesSync(Buffer.alloc(200, 7))));
        assert.deepEqual(Buffer.from(receiver.recvBytesSync()), Buffer.alloc(200, 7));
        assert.deepEqual(receiver.recvSync(), whole);
      }
      const closing = sendingMeanwhile(() => sender.close());
      assert.throws(() => sender.sendSync(closing), { code: 'ERR_MP_CLOSED' });
      await assert.rejects(receiver.recv(), { code: 'ERR_MP_EOF' });
    });

    it('a value keeps its bytes when others come later, or while it is being made', async () => {
      const [receiver, sender] = Pipe({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      class Nested {}
      registerCodec(Nested, {
        name: `Nested ${duplex}`,
        pack: () => 'packed',
        unpack: () => Object.assign(new Nested(), { other: receiver.recvSync() }),
      });
      class Bytes {}
      registerCodec(Bytes, {
        name: `Bytes ${duplex}`,
        pack: () => 'packed',
        unpack: () => Object.assign(new Bytes(), { length: receiver.recvBytesSync({ timeout: 5000 }).length }),
      });
      const bytes = (fill: number) => Buffer.alloc(100, fill);
      for (const receive of [() => receiver.recv(), () => receiver.recvSync()]) {
        sender.sendSync([new Nested(), bytes(1)]);
        sender.sendSync(bytes(2));
        sender.sendSync(bytes(3));
        const value = await receive();
        const third = await receive();
        assert.deepEqual(value, [Object.assign(new Nested(), { other: bytes(2) }), bytes(1)]);
        assert.deepEqual(third, bytes(3));
        for (const [tiny, message] of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(2)].entries()) {
          sender.sendSync([new Bytes()]);
          sender.sendBytesSync(message);
          assert.deepEqual(await receive(), [Object.assign(new Bytes(), { length: tiny })]);
        }
      }
      sender.sendBytesSync(bytes(4));
      sender.sendBytesSync(bytes(5));
      const fourth = await receiver.recvBytes();
      const fifth = receiver.recvBytesSync();
      assert.deepEqual([fourth, fifth], [new Uint8Array(100).fill(4), new Uint8Array(100).fill(5)]);
      assert.notEqual(fourth.buffer, fifth.buffer);
    });

    it('keeps message boundaries and order, sync and async mixed', async () => {
      const [receiver, sender] = Pipe<number>({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      const received: (number | Promise<number>)[] = [];
      for (let i = 0; i < 300; i += 3) {
        received.push(receiver.recv());
        void sender.send(i);
        sender.sendSync(i + 1);
        received.push(receiver.recvSync());
        received.push(receiver.recv());
        await sender.send(i + 2);
      }
      assert.deepEqual(
        await Promise.all(received),
        Array.from({ length: 300 }, (_, i) => i),
      );
    });

    it('10,000 unawaited sends stay in order, and the last ones wait for the reader', async () => {
      const [receiver, sender] = Pipe<string>({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      const filler = 'x'.repeat(100);
      let sent = 0;
      const all = Array.from({ length: 10_000 }, (_, i) => sender.send(i + filler).then(() => (sent += 1)));
      await new Promise(setImmediate);
      assert.ok(sent > 0 && sent < 10_000, `${sent}`);
      for (let i = 0; i < 10_000; i += 1) assert.equal(await receiver.recv(), i + filler);
      await Promise.all(all);
    });

    it('carries messages larger than any buffer of the kernel', async () => {
      const [receiver, sender] = Pipe<Buffer>({ duplex });
      using _receiver = receiver;
      using _sender = sender;
      const large = Buffer.alloc(3_000_000, 'pattern');
      const [received] = await Promise.all([receiver.recv(), sender.send(large)]);
      assert.ok(received.equals(large));
    });
  });
}

describe('Connection', () => {
  it('both ends of a duplex pipe send and receive', async () => {
    const [first, second] = Pipe<string>();
    using _first = first;
    using _second = second;
    await Promise.all([first.send('ping'), second.send('pong')]);
    assert.deepEqual(await Promise.all([first.recv(), second.recv()]), ['pong', 'ping']);
  });

  it('what is sent is what it was at the call', async () => {
    const [receiver, sender] = Pipe<{ list: number[]; bytes: Buffer }>();
    using _receiver = receiver;
    using _sender = sender;
    const value = { list: [1], bytes: Buffer.alloc(1_000_000, 1) };
    const sent = sender.send(value);
    value.list.push(2);
    value.bytes.fill(2);
    const received = await receiver.recv();
    await sent;
    assert.deepEqual(received.list, [1]);
    assert.ok(received.bytes.equals(Buffer.alloc(1_000_000, 1)));
  });

  it("sendBytes sends the caller's bytes as they were, later changes or not", async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    const bytes = new Uint8Array(1_000_000).fill(1);
    const sent = sender.sendBytes(bytes);
    bytes.fill(2);
    const received = await receiver.recvBytes();
    await sent;
    assert.ok(received.every((byte) => byte === 1));
  });

  it('bytes arrive as Uint8Array in memory of their own, from any view, slice or ArrayBuffer', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    const bytes = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]);
    const cases: [ArrayBufferView | ArrayBuffer, number?, number?][] = [
      [bytes],
      [bytes, 3],
      [bytes, 3, 2],
      [bytes, 8],
      [bytes, 0, 0],
      [bytes.buffer, 6],
      [new DataView(bytes.buffer, 2, 4), 1, 2],
      [new Uint16Array(bytes.buffer, 2, 2), 1],
    ];
    const expected = ['01234567', '34567', '34', '', '', '67', '34', '345'];
    for (const [index, [memory, offset, size]] of cases.entries()) {
      await sender.sendBytes(memory, offset, size);
      sender.sendBytesSync(memory, offset, size);
      for (const received of [await receiver.recvBytes(), receiver.recvBytesSync()]) {
        assert.equal(Object.getPrototypeOf(received), Uint8Array.prototype);
        assert.equal([...received].join(''), expected[index]);
        assert.equal(received.buffer.byteLength, received.length);
      }
    }
  });

  it('recvBytesInto fills the buffer from the offset and tells the length', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    const buffer = new Uint8Array(8);
    await sender.sendBytes(new Uint8Array([1, 2, 3]));
    assert.equal(await receiver.recvBytesInto(buffer, 2), 3);
    await sender.sendBytes(new Uint8Array([9]));
    assert.equal(receiver.recvBytesIntoSync(new DataView(buffer.buffer), 7), 1);
    assert.deepEqual([...buffer], [0, 0, 1, 2, 3, 0, 0, 9]);
  });

  it('a message too long for the buffer comes with the error, and the next one can be received', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    for (const sync of [true, false]) {
      sender.sendBytesSync(new Uint8Array([1, 2, 3]));
      sender.sendBytesSync(new Uint8Array([4]));
      const tooShort = { code: 'ERR_MP_BUFFER_TOO_SHORT', bytes: new Uint8Array([1, 2, 3]) };
      const buffer = new Uint8Array(4);
      if (sync) assert.throws(() => receiver.recvBytesIntoSync(buffer, 2), tooShort);
      else await assert.rejects(receiver.recvBytesInto(buffer, 2), tooShort);
      assert.equal(await receiver.recvBytesInto(buffer), 1);
    }
  });

  it('a value that cannot travel is refused at the call and nothing is sent', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    const refused = { code: 'ERR_MP_SERIALIZE', message: 'value.f is a function' };
    await assert.rejects(sender.send({ f: () => {} }), refused);
    assert.throws(() => sender.sendSync({ f: () => {} }), refused);
    await sender.send('next');
    assert.equal(await receiver.recv(), 'next');
  });

  it('refuses wrong arguments before anything happens', async () => {
    const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => new Connection('0' as unknown as number), type);
    assert.throws(() => new Connection(-1), range);
    assert.throws(() => new Connection(1.5), range);
    assert.throws(() => new Connection(1e6), { code: 'EBADF', syscall: 'fcntl' });
    assert.throws(() => new Connection(0, { readable: false, writable: false }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new Connection(0, { readable: 1 as unknown as boolean }), type);
    assert.throws(() => Pipe({ duplex: 'no' as unknown as boolean }), type);
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    using _sender = sender;
    const bytes = new Uint8Array(4);
    await assert.rejects(sender.sendBytes('text' as unknown as Uint8Array), type);
    for (const [offset, size] of [[-1], [5], [0, -1], [2, 3], [0.5]] as const) {
      await assert.rejects(sender.sendBytes(bytes, offset, size), range);
    }
    await assert.rejects(receiver.recvBytesInto('text' as unknown as Uint8Array), type);
    await assert.rejects(receiver.recvBytesInto(bytes, 5), range);
    await assert.rejects(receiver.recvBytes({ maxLength: -1 }), range);
    await assert.rejects(receiver.recv({ timeout: '1' as unknown as number }), type);
    await assert.rejects(receiver.recv({ timeout: Number.NaN }), range);
    await assert.rejects(receiver.recv({ signal: {} as AbortSignal }), type);
    assert.equal(await receiver.poll(), false);
  });

  it('takes over a descriptor, tells it, and shows its state', () => {
    const { readEnd, writeEnd } = posix.pipe();
    const receiver = new Connection(readEnd, { writable: false });
    const sender = new Connection<string>(writeEnd, { readable: false });
    assert.equal(receiver.fd, readEnd);
    assert.deepEqual([receiver.readable, receiver.writable], [true, false]);
    assert.deepEqual([sender.readable, sender.writable], [false, true]);
    assert.equal(inspect(receiver), `Connection { fd: ${readEnd}, receives }`);
    sender.sendSync('x');
    assert.equal(receiver.recvSync(), 'x');
    receiver.close();
    sender.close();
    assert.equal(inspect(receiver), 'Connection { closed }');
    assert.throws(() => posix.close(readEnd), { code: 'EBADF' });
  });
});
