/** The ways by which objects come to another process, and on from there. */

import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import {
  Condition,
  connect,
  Event,
  getAllStartMethods,
  Listener,
  Lock,
  Manager,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { runScript } from '../support/run_script.js';
import { player } from './stage.js';

describe('a shared object', () => {
  after(stopForkServer);

  for (const startMethod of getAllStartMethods()) {
    it(`is an argument of a process of '${startMethod}', with all the others`, async () => {
      using lock = new Lock();
      using rlock = new RLock();
      using semaphore = new Semaphore(2);
      using event = new Event();
      using condition = new Condition(rlock);
      using value = new Value('i32', 5, { lock });
      using array = new SharedArray('f64', 3, { lock: false });
      const props = { lock, again: lock, rlock, semaphore, event, condition, value, array };
      await using other = await player(startMethod, props);
      assert.equal(await other.do('areSame', 'lock', 'again'), true);
      assert.equal(await other.do('isLockOf', 'lock', 'value'), true);
      await other.do('call', 'condition', 'acquireSync');
      assert.equal(rlock.owner, other.pid);
      assert.equal(await other.do('call', 'lock', 'tryAcquire'), true);
      assert.equal(lock.tryAcquire(), false);
      await other.do('call', 'semaphore', 'release', 3);
      assert.equal(semaphore.value, 5);
      event.set();
      assert.equal(await other.do('call', 'event', 'isSet'), true);
      await other.do('call', 'value', 'add', 1);
      await other.do('element', 'array', 2, 8);
      assert.deepEqual([value.value, array.array[2]], [6, 8]);
    });

    it(`goes by Queue and Connection from one process of '${startMethod}' to the next`, async () => {
      using queue = new Queue();
      const [here, there] = Pipe();
      using lock = new Lock();
      const first = await player(startMethod, { lock, queue });
      await using second = await player(startMethod, { queue, there });
      await first.do('send', 'lock', 'queue', 'put');
      await second.do('take', 'mine', 'queue', 'get');
      await first.do('call', 'lock', 'tryAcquire');
      await second.do('send', 'mine', 'there', 'send');
      const back = (await here.recv()) as Lock;
      assert.deepEqual([back.owner, await second.do('get', 'mine', 'owner')], [first.pid, first.pid]);
      await first.kill();
      await assert.rejects(second.do('callSync', 'mine', 'acquireSync'), { code: 'ERR_MP_OWNER_DIED' });
      assert.equal(back.owner, second.pid);
      back.close();
      here.close();
      there.close();
    });
  }

  it('is kept by a manager, whoever made it', async () => {
    const manager = await Manager();
    const dict = await manager.dict<Lock | Value>();
    {
      using lock = new Lock();
      using value = new Value('i32', 1);
      await dict.set('lock', lock);
      await dict.set('value', value);
    }
    await using one = await player('fork', { dict });
    await one.do('take', 'lock', 'dict', 'get', 'lock');
    assert.equal(await one.do('call', 'lock', 'tryAcquire'), true);
    const lock = (await dict.get('lock')) as Lock;
    assert.equal(lock.owner, one.pid);
    const value = (await dict.get('value')) as Value<'i32'>;
    assert.equal(value.add(1), 1);
    const again = (await dict.get('value')) as Value<'i32'>;
    assert.equal(again.value, 2);
    for (const object of [lock, value, again]) object.close();
    await manager.shutdown();
    manager.close();
  });

  it('reaches a process that is not related', async () => {
    using listener = await Listener.listen();
    using lock = new Lock();
    const running = runScript(`
      import { connect } from 'posix-multiprocessing';
      const connection = await connect(${JSON.stringify(listener.address)});
      const lock = await connection.recv();
      lock.acquireSync();
      await connection.send(process.pid);
      process.kill(process.pid, 'SIGKILL');
    `);
    const connection = await listener.accept();
    await connection.send(lock);
    const pid = await connection.recv();
    await running;
    await assert.rejects(lock.acquire(), { code: 'ERR_MP_OWNER_DIED', pid });
    connection.close();
  });

  it('without a name is refused by TCP, whose other end may be another machine', async () => {
    using listener = await Listener.listen({ host: '127.0.0.1', port: 0 });
    const accepting = listener.accept();
    const connection = await connect(listener.address);
    const accepted = await accepting;
    using lock = new Lock();
    using value = new Value('i32');
    for (const [name, object] of Object.entries({ lock, value })) {
      await assert.rejects(connection.send({ [name]: object }), {
        code: 'ERR_MP_SERIALIZE',
        message: `value.${name} has a descriptor, which this channel can't carry`,
      });
    }
    connection.close();
    accepted.close();
  });
});
