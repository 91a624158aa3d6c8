import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'mocha';
import { Pipe, wait } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';

const header = Buffer.from([0, 0, 0, 4]);

describe('Connection waiting', () => {
  it('recv times out with ERR_MP_TIMEOUT, not before its time, and loses nothing', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    const late = { code: 'ERR_MP_TIMEOUT' };
    for (const timeout of [0, -1, 30]) {
      const started = performance.now();
      await assert.rejects(receiver.recv({ timeout }), late);
      assert.throws(() => receiver.recvSync({ timeout }), late);
      assert.ok(performance.now() - started >= 2 * timeout - 2);
    }
    await sender.send('kept');
    assert.equal(await receiver.recv({ timeout: 0 }), 'kept');
  });

  it('an abort rejects with its reason, before the wait or during it', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    const reason = new Error('enough');
    await assert.rejects(receiver.recv({ signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(receiver.poll({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waits = [
      receiver.recv({ signal: controller.signal }),
      receiver.recvBytes({ signal: controller.signal, timeout: 60_000 }),
      receiver.poll({ signal: controller.signal, timeout: 60_000 }),
    ];
    const after = receiver.recv();
    controller.abort(reason);
    for (const wait of waits) await assert.rejects(wait, reason);
    await sender.send('for the one that stayed');
    assert.equal(await after, 'for the one that stayed');
  });

  it('an aborted recv in the middle of a message loses no byte', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    for (const cut of [1, 3, 4, 5, 7]) {
      const bytes = Buffer.concat([header, Buffer.from('body')]);
      posix.write(sender.fd, bytes.subarray(0, cut));
      const controller = new AbortController();
      const aborted = receiver.recvBytes({ signal: controller.signal });
      await new Promise(setImmediate);
      controller.abort();
      await assert.rejects(aborted, { name: 'AbortError' });
      assert.throws(() => receiver.recvBytesSync({ timeout: 1 }), { code: 'ERR_MP_TIMEOUT' });
      posix.write(sender.fd, bytes.subarray(cut));
      assert.equal(Buffer.from(await receiver.recvBytes()).toString(), 'body');
    }
  });

  it('concurrent calls are served in their order, whatever they ask for', async () => {
    const [receiver, sender] = Pipe<number>();
    using _receiver = receiver;
    using _sender = sender;
    const order: string[] = [];
    const buffer = new Uint8Array(8);
    const first = receiver.recv().then((value) => order.push(`value ${value}`));
    const second = receiver.recvBytes().then((bytes) => order.push(`bytes ${bytes}`));
    const third = receiver.recvBytesInto(buffer).then((size) => order.push(`into ${size}`));
    sender.sendSync(1);
    sender.sendBytesSync(new Uint8Array([2]));
    sender.sendBytesSync(new Uint8Array([3, 3]));
    sender.sendSync(4);
    assert.equal(receiver.recvSync(), 4);
    await Promise.all([first, second, third]);
    assert.deepEqual(order, ['value 1', 'bytes 2', 'into 2']);
  });

  it('a call in the middle of the line may give up; the others keep their places', async () => {
    const [receiver, sender] = Pipe<number>();
    using _receiver = receiver;
    using _sender = sender;
    const controller = new AbortController();
    const waits = Array.from({ length: 5 }, (_, i) =>
      i % 2 === 1 ? receiver.recv({ signal: controller.signal }) : receiver.recv(),
    );
    controller.abort();
    for (const i of [1, 3]) await assert.rejects(waits[i] as Promise<number>, { name: 'AbortError' });
    for (const value of [10, 20, 30]) sender.sendSync(value);
    assert.deepEqual(await Promise.all([waits[0], waits[2], waits[4]]), [10, 20, 30]);
  });

  it('a try does not overtake those who wait', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    const waiting = receiver.recv();
    sender.sendSync('only one');
    await assert.rejects(receiver.recv({ timeout: 0 }), { code: 'ERR_MP_TIMEOUT' });
    assert.equal(await waiting, 'only one');
  });

  it('a full connection makes sends wait until there is a reader', async () => {
    const [receiver, sender] = Pipe<string>();
    using _receiver = receiver;
    using _sender = sender;
    const filler = 'x'.repeat(50_000);
    let sent = 0;
    const sends = Array.from({ length: 100 }, (_, i) => sender.send(i + filler).then(() => (sent += 1)));
    await new Promise(setImmediate);
    assert.ok(sent < 100);
    for (let i = 0; i < 100; i += 1) assert.equal(await receiver.recv(), i + filler);
    await Promise.all(sends);
  });

  it('three messages of 64 KiB and more leave without a reader, either way', async () => {
    for (const duplex of [true, false]) {
      const [first, second] = Pipe({ duplex });
      using _first = first;
      using _second = second;
      await second.sendBytes(Buffer.alloc(256 * 1024));
      if (duplex) await first.sendBytes(Buffer.alloc(256 * 1024));
    }
  });

  it('poll looks once by default, takes nothing, and is true for an empty message and at the end', async () => {
    const [receiver, sender] = Pipe();
    using _receiver = receiver;
    assert.equal(await receiver.poll(), false);
    assert.equal(receiver.pollSync(), false);
    assert.equal(receiver.pollSync({ timeout: 5 }), false);
    assert.equal(await receiver.poll({ timeout: 5 }), false);
    await sender.sendBytes(new Uint8Array(0));
    for (let again = 0; again < 2; again += 1) {
      assert.equal(await receiver.poll(), true);
      assert.equal(receiver.pollSync({ timeout: undefined }), true);
    }
    assert.equal((await receiver.recvBytes()).length, 0);
    const polled = receiver.poll({ timeout: undefined });
    sender.close();
    assert.equal(await polled, true);
    assert.equal(receiver.pollSync(), true);
  });

  it('an endless supply of messages leaves the event loop its turns', async () => {
    const [receiver, sender] = Pipe<number>();
    using _receiver = receiver;
    using _sender = sender;
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    for (let i = 0; turns < 3; i += 1) {
      await sender.send(i);
      assert.equal(await receiver.recv(), i);
    }
    while (turns < 6) await receiver.poll();
    sender.sendSync(0);
    while (turns < 9) await wait([receiver]);
    assert.equal(await receiver.recv(), 0);
    // Served one after the other when the first of them is.
    const waits = Array.from({ length: 200_000 }, () => receiver.recv());
    const sent = Array.from(waits, (_, i) => sender.send(i));
    const before = turns;
    await Promise.all([...waits, ...sent]);
    assert.ok(turns > before);
    clearInterval(timer);
  });

  it('pending calls keep no thread: reads of the file system go on beside 100 of them', async () => {
    const pipes = Array.from({ length: 100 }, () => Pipe<number>());
    const waits = pipes.map(([receiver]) => receiver.recv());
    const { readFile } = await import('node:fs/promises');
    await Promise.all(Array.from({ length: 20 }, () => readFile('/proc/self/stat')));
    for (const [i, [, sender]] of pipes.entries()) sender.sendSync(i);
    assert.deepEqual(await Promise.all(waits), Array.from(pipes.keys()));
    for (const end of pipes.flat()) end.close();
  });
});
