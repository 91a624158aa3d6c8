import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { Pipe } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { expectExit, start } from '../support/children.js';
import { PATIENCE } from '../support/watchdog.js';

describe('Connection between processes', () => {
  it('echoes values, awaited and blocking on either side', async () => {
    for (const sync of [true, false]) {
      const [mine, its] = Pipe();
      const child = await start(async () => {
        mine.close();
        if (!sync) for await (const value of its) await its.send(value);
        else for (let i = 0; i < 200; i += 1) its.sendSync(its.recvSync());
      });
      its.close();
      for (let i = 0; i < 100; i += 1) {
        await mine.send({ i });
        assert.deepEqual(await mine.recv(), { i });
        mine.sendSync([i]);
        assert.deepEqual(mine.recvSync(), [i]);
      }
      mine.close();
      await expectExit(child, 0);
    }
  });

  it('end of file comes when every process has closed the other end', async () => {
    const [receiver, sender] = Pipe<string>({ duplex: false });
    using _receiver = receiver;
    const child = await start(() => sender.sendSync('once'));
    sender.close();
    assert.equal(await receiver.recv(), 'once');
    await assert.rejects(receiver.recv(), { code: 'ERR_MP_EOF' });
    await expectExit(child, 0);
  });

  it('a child that is killed in the middle of a message leaves an end that says so', async () => {
    const [receiver, sender] = Pipe<Buffer>({ duplex: false });
    using _receiver = receiver;
    const child = await start(() => sender.sendSync(Buffer.alloc(10_000_000)));
    sender.close();
    assert.equal(await receiver.poll({ timeout: undefined }), true);
    child.kill();
    await assert.rejects(receiver.recv(), { code: 'ERR_MP_EOF', message: /in the middle of a message/ });
    await expectExit(child, -9);
  });

  it('a blocking call gets a large message to its end, however long the event loop has had no turn', async () => {
    for (const duplex of [true, false]) {
      const [receiver, sender] = Pipe<Uint8Array>({ duplex });
      const child = await start(() => {
        sender.close();
        receiver.recvBytesSync();
        for (const begin = performance.now(); performance.now() - begin < 20; );
        for (let count = 1; count < 20; count += 1) receiver.recvBytesSync();
      });
      receiver.close();
      const watchdog = setTimeout(() => child.kill(), PATIENCE);
      for (let count = 0; count < 20; count += 1) await sender.sendBytes(new Uint8Array(1 << 20));
      await expectExit(child, 0);
      clearTimeout(watchdog);
      sender.close();
    }
  });

  it('who waits is not woken before something comes', async () => {
    const [here, there] = Pipe<number>();
    const child = await start(async () => {
      here.close();
      for await (const value of there) await there.send(value);
    });
    there.close();
    for (const value of [1, 2, 3]) {
      await here.send(value);
      assert.equal(await here.recv(), value);
    }
    const switches = (): number => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
    };
    // What it still had to do, and then nothing for a while: with a timer of 50 ms it would be woken 20 times.
    await delay(300);
    const before = switches();
    await delay(1000);
    assert.ok(switches() - before < 5, `${switches() - before} times`);
    here.close();
    await expectExit(child, 0);
  });

  it('a blocking send goes after those that wait', async () => {
    const [receiver, sender] = Pipe<string>();
    const filler = 'x'.repeat(50_000);
    const child = await start(() => {
      sender.close();
      for (let i = 0; i < 21; i += 1) {
        const value = receiver.recvSync();
        if (!value.startsWith(`${i} `)) throw new Error(`${value.slice(0, 5)} instead of ${i}`);
      }
    });
    receiver.close();
    const sends = Array.from({ length: 20 }, (_, i) => sender.send(`${i} ${filler}`));
    sender.sendSync('20 last');
    await Promise.all(sends);
    sender.close();
    await expectExit(child, 0);
  });

  it('processes that share an end may take turns: none reads into the next message', async () => {
    const [receiver, sender] = Pipe<number>();
    using _sender = sender;
    for (let i = 0; i < 4; i += 1) sender.sendSync(i);
    assert.equal(receiver.recvSync(), 0);
    const child = await start(() => process.exit(receiver.recvSync()));
    await expectExit(child, 1);
    assert.equal(await receiver.recv(), 2);
    const next = await start(async () => process.exit(await receiver.recv()));
    await expectExit(next, 3);
    receiver.close();
  });

  it('waits of the parent, and a message it has read in part, are not the child’s', async () => {
    const [receiver, sender] = Pipe<string>();
    const [report, reporter] = Pipe<string>();
    const controller = new AbortController();
    posix.write(sender.fd, Uint8Array.from([0, 0]));
    const waiting = receiver.recv({ signal: controller.signal });
    await new Promise(setImmediate); // the two bytes are the parent's now
    const child = await start(async () => {
      const value = await receiver.recv();
      await reporter.send(`child got ${value}`);
    });
    await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    await sender.send('whole');
    assert.equal(await report.recv(), 'child got whole');
    await expectExit(child, 0);
    for (const end of [receiver, sender, report, reporter]) end.close();
  });
});
