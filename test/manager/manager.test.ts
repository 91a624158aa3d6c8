import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import {
  connect,
  type DictProxy,
  type ListProxy,
  Manager,
  Pipe,
  Process,
  SharedMemory,
  SyncManager,
  Value,
} from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';

class Counter {
  #count: number;
  constructor(start: number) {
    this.#count = start;
  }
  add(amount: number): number {
    this.#count += amount;
    return this.#count;
  }
  self(): this {
    return this;
  }
  _secret(): number {
    return this.#count;
  }
  fail(kind: string): never {
    if (kind === 'type') throw Object.assign(new TypeError('on purpose'), { detail: 7 });
    if (kind === 'own') throw new (class OddError extends Error {})('odd');
    const thrown: unknown = 5;
    throw thrown;
  }
  closure(): unknown {
    return { deep: () => 1 };
  }
  later(): Promise<string> {
    return Promise.resolve('later');
  }
}

SyncManager.register('Counter', (start: number) => new Counter(start));
SyncManager.register('nothing', () => undefined);

async function run(target: () => unknown): Promise<void> {
  const child = await new Process({ target }).start();
  await child.join();
  const { exitCode } = child;
  child.close();
  assert.equal(exitCode, 0);
}

describe('a manager', () => {
  it('keeps a dict for several processes', async () => {
    await using manager = await Manager();
    const dict = await manager.dict<unknown>({ a: 1, b: [2] });
    assert.deepEqual(await dict.get('b'), [2]);
    await run(async () => {
      await dict.set('c', { deep: new Map([[1, new Date(5)]]) });
      assert.equal(await dict.delete('a'), true);
      assert.equal(await dict.delete('a'), false);
    });
    assert.deepEqual(await dict.toObject(), { b: [2], c: { deep: new Map([[1, new Date(5)]]) } });
    assert.deepEqual([await dict.size(), await dict.has('a'), await dict.has('c')], [2, false, true]);
    assert.deepEqual(await dict.keys(), ['b', 'c']);
    assert.deepEqual((await dict.values())[0], [2]);
    await dict.clear();
    assert.deepEqual(await dict.entries(), []);
    const keyed = await manager.dict(
      new Map<unknown, string>([
        [1, 'one'],
        [{ x: [1] }, 'object'],
        ['\0o', 'zero'],
      ]),
    );
    assert.deepEqual(
      [await keyed.get(1), await keyed.get('1'), await keyed.get({ x: [1] }), await keyed.get('\0o')],
      ['one', undefined, 'object', 'zero'],
    );
    await keyed.set({ x: [1] }, 'new');
    assert.equal(await keyed.size(), 3);
  });

  it('keeps lists and namespaces', async () => {
    await using manager = await Manager();
    const list = await manager.list(new Set(['a', 'b']));
    assert.equal(await list.push('c', 'd'), 4);
    assert.equal(await list.pop(), 'd');
    await list.set(0, 'A');
    await assert.rejects(list.set(3, 'x'), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    assert.deepEqual([await list.at(-1), await list.at(9), await list.length()], ['c', undefined, 3]);
    assert.deepEqual(
      [await list.slice(1), await list.slice(0, 1), await list.toArray()],
      [['b', 'c'], ['A'], ['A', 'b', 'c']],
    );
    const space = await manager.namespace({ x: 1 });
    await space.set('y', 2);
    assert.deepEqual([await space.get('x'), await space.get('y'), await space.get('toString')], [1, 2, undefined]);
  });

  it('updates a key in one step, by a closure here or a function there, however many do', async () => {
    await using manager = await Manager();
    const dict = await manager.dict<number>();
    const step = 2;
    const target = async (): Promise<void> => {
      for (let round = 0; round < 100; round += 1) await dict.update('n', (old = 0) => old + step);
    };
    const children = [1, 2, 3].map(() => new Process({ target }));
    for (const child of children) await child.start();
    await Promise.all([target(), target()]);
    for (const child of children) {
      await child.join();
      child.close();
    }
    assert.equal(await dict.get('n'), 1000);
    assert.equal(await dict.update('n', new URL('updates.js#half', import.meta.url)), 500);
    await assert.rejects(
      dict.update('n', () => {
        throw new Error('on purpose');
      }),
      /on purpose/,
    );
    await assert.rejects(dict.update('n', (() => () => 1) as never), { code: 'ERR_MP_SERIALIZE' });
    assert.equal(await dict.get('n'), 500);
  });

  it('lets setters wait for an update, and goes on when the updater dies', async () => {
    await using manager = await Manager();
    const dict = await manager.dict<number>({ n: 1 });
    const [here, there] = Pipe();
    const child = new Process({
      target: () =>
        dict.update('n', async () => {
          await there.send('inside');
          await new Promise(() => setInterval(() => {}, 1000));
          return 99;
        }),
    });
    await child.start();
    await here.recv();
    let isSet = false;
    const set = dict.set('n', 5).then(() => {
      isSet = true;
    });
    assert.equal(await dict.get('n'), 1);
    assert.equal(isSet, false);
    child.kill();
    await child.join();
    child.close();
    await set;
    assert.equal(await dict.get('n'), 5);
    here.close();
    there.close();
  });

  it('passes items through queues, in order, and waits as told', async () => {
    await using manager = await Manager();
    const queue = await manager.queue<number | boolean>(2);
    await queue.put(1);
    await queue.put(2);
    assert.deepEqual([await queue.isFull(), await queue.isEmpty(), await queue.size()], [true, false, 2]);
    await assert.rejects(queue.put(3, { timeout: 10 }), { code: 'ERR_MP_QUEUE_FULL' });
    const third = queue.put(3);
    assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [1, 2, 3]);
    await third;
    await assert.rejects(queue.get({ timeout: 0 }), { code: 'ERR_MP_QUEUE_EMPTY' });
    await assert.rejects(queue.get({ timeout: 10 }), { code: 'ERR_MP_QUEUE_EMPTY' });
    const reason = new Error('no more');
    const abort = new AbortController();
    const waiting = queue.get({ signal: abort.signal });
    const next = queue.get();
    abort.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(queue.get({ signal: abort.signal }), reason);
    // Aborted when the answer is there: what was taken arrives, `false` like all else.
    const late = new AbortController();
    Object.assign(late.signal, { removeEventListener: () => late.abort(reason) });
    const taken = queue.get({ signal: late.signal });
    const after = queue.get();
    await queue.put(false);
    assert.equal(await next, false);
    await queue.put(false);
    assert.equal(await taken, false);
    assert.equal(late.signal.aborted, true);
    await run(() => queue.put(4));
    assert.equal(await after, 4);
    // Who dies while it waits takes nothing.
    const [here, there] = Pipe();
    const child = new Process({
      target: async () => {
        const item = queue.get();
        await queue.size();
        await there.send('waits');
        await item;
      },
    });
    await child.start();
    await here.recv();
    child.kill();
    await child.join();
    child.close();
    await waitFor('the dead one is forgotten', async () => {
      await queue.put(5);
      return (await queue.size()) > 0;
    });
    here.close();
    there.close();
  });

  it('has locks that one process holds, given on when it dies', async () => {
    await using manager = await Manager();
    const lock = await manager.lock();
    assert.equal(await lock.acquire(), true);
    assert.equal(await lock.acquire({ timeout: 10 }), false);
    assert.equal(await lock.acquire({ timeout: 0 }), false);
    const waiting = lock.acquire();
    await lock.release();
    assert.equal(await waiting, true);
    await run(() => lock.release());
    await assert.rejects(lock.release(), { code: 'ERR_MP_OVER_RELEASE' });
    assert.equal(await lock.use(() => 'held'), 'held');
    const [here, there] = Pipe();
    const child = new Process({
      target: async () => {
        await lock.acquire();
        await there.send('held');
        await new Promise(() => setInterval(() => {}, 1000));
      },
    });
    await child.start();
    await here.recv();
    await assert.rejects(
      lock.use(() => 1, { timeout: 5 }),
      { code: 'ERR_MP_TIMEOUT' },
    );
    const { pid } = child;
    child.kill();
    await child.join();
    child.close();
    await assert.rejects(lock.acquire(), { code: 'ERR_MP_OWNER_DIED', pid });
    await lock.release();
    assert.equal(await lock.acquire(), true);
    here.close();
    there.close();
  });

  it('has events', async () => {
    await using manager = await Manager();
    const event = await manager.event();
    assert.deepEqual([await event.isSet(), await event.wait({ timeout: 5 })], [false, false]);
    const waiting = event.wait();
    await run(() => event.set());
    assert.deepEqual([await waiting, await event.wait(), await event.isSet()], [true, true, true]);
    await event.clear();
    assert.equal(await event.isSet(), false);
    const reason = new Error('enough');
    await assert.rejects(event.wait({ signal: AbortSignal.abort(reason) }), reason);
    const abort = new AbortController();
    const aborted = event.wait({ signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(aborted, reason);
  });

  it('makes objects of registered classes, whose public methods proxies have', async () => {
    await using manager = await Manager();
    const counter = await manager.create('Counter', 10);
    assert.equal(await counter.add(5), 15);
    await run(async () => assert.equal(await counter.add(1), 16));
    const same = await counter.self();
    assert.equal(await same.add(0), 16);
    assert.equal(await counter.later(), 'later');
    for (const name of ['_secret', 'missing', 'hasOwnProperty', 'constructor']) {
      const method: unknown = counter[name];
      if (name in Object.prototype) continue;
      await assert.rejects((method as () => Promise<unknown>)(), { name: 'TypeError', message: /no method/ });
    }
    await assert.rejects(manager.create('Unknown'), { code: 'ERR_INVALID_ARG_VALUE' });
    await assert.rejects(manager.create('nothing'), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => SyncManager.register('dict', () => ({})), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => SyncManager.register('x', 5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.match(inspect(counter), /Counter #\d+/);
  });

  it('re-raises errors by their class, with the stack of the server and of the caller', async () => {
    await using manager = await Manager();
    const counter = await manager.create('Counter', 0);
    const error = (await counter.fail('type').catch((thrown: unknown) => thrown)) as TypeError & { detail: number };
    assert.ok(error instanceof TypeError);
    assert.deepEqual([error.message, error.detail], ['on purpose', 7]);
    assert.match(error.stack ?? '', /at Counter\.fail[\s\S]*in the manager; called here/);
    await assert.rejects(counter.fail('own'), { code: 'ERR_MP_REMOTE', message: /odd/, stack: /at Counter\.fail/ });
    await assert.rejects(counter.fail('none'), { code: 'ERR_MP_REMOTE', message: 'thrown: 5' });
    await assert.rejects(counter.closure(), { code: 'ERR_MP_SERIALIZE', message: /deep is a function/ });
    await assert.rejects(
      counter.add(() => 1),
      { code: 'ERR_MP_SERIALIZE' },
    );
    assert.equal(await counter.add(1), 1);
  });

  it('keeps proxies within its objects alive, and gives up what nobody has', async () => {
    await using manager = await Manager();
    const outer = await manager.dict<ListProxy<number> | DictProxy>();
    await outer.set('inner', await manager.list([1]));
    globalThis.gc?.();
    const inner = (await outer.get('inner')) as ListProxy<number>;
    await inner.push(2);
    await run(async () => {
      const same = (await outer.get('inner')) as ListProxy<number>;
      await same.push(3);
    });
    assert.deepEqual(await ((await outer.get('inner')) as ListProxy<number>).toArray(), [1, 2, 3]);
    const before = await manager.count();
    await run(async () => {
      const own = await manager.dict();
      await own.set('x', 1);
      assert.equal(await manager.count(), before + 1);
    });
    await waitFor("the child's object is given up", async () => (await manager.count()) === before);
  });

  it('releases what is dropped here', async () => {
    await using manager = await Manager();
    const kept = await manager.list();
    for (let round = 0; round < 20; round += 1) await manager.dict();
    await waitFor('the dropped ones are given up', async () => {
      globalThis.gc?.();
      return (await manager.count()) === 1;
    });
    assert.equal(await kept.length(), 0);
  });

  it('is reached by proxies that came in messages, in kin and by shared objects inside', async () => {
    await using manager = await Manager();
    const [here, there] = Pipe<DictProxy>();
    const child = new Process({
      target: async () => {
        const dict = await there.recv();
        await dict.set('from', 'child');
        ((await dict.get('value')) as Value<'i32'>).add(5);
        ((await dict.get('memory')) as SharedMemory).bytes[0] = 9;
      },
    });
    await child.start();
    const dict = await manager.dict<unknown>();
    using value = new Value('i32', 1, { lock: false });
    using memory = SharedMemory.create({ size: 10 });
    await dict.set('value', value);
    await dict.set('memory', memory);
    await here.send(dict);
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    assert.equal(await dict.get('from'), 'child');
    assert.deepEqual([value.value, memory.bytes[0]], [6, 9]);
    memory.unlink();
    here.close();
    there.close();
  });

  it('rejects every call at once when its server dies, and later ones too', async () => {
    const manager = await Manager();
    const event = await manager.event();
    const dict = await manager.dict();
    const counter = await manager.create('Counter', 1);
    const waiting = [event.wait(), event.wait({ timeout: 60_000 })];
    const pid = (await manager.namespace({})) as unknown;
    assert.ok(pid);
    const { activeChildren } = await import('posix-multiprocessing');
    const server = activeChildren().find(({ name }) => name === 'Manager');
    assert.ok(server !== undefined);
    await event.isSet();
    server.kill();
    for (const call of waiting) await assert.rejects(call, { code: 'ERR_MP_EOF' });
    await assert.rejects(dict.size(), { code: /ERR_MP_EOF|ECONNREFUSED/ });
    await assert.rejects(dict.size(), { code: 'ECONNREFUSED' });
    await assert.rejects(counter.add(1), { code: 'ECONNREFUSED' });
    await manager.shutdown();
  });

  it('ends by shutdown, only for who started it; close is for everybody', async () => {
    const manager = await Manager();
    const dict = await manager.dict();
    await run(async () => {
      await assert.rejects(manager.shutdown(), { code: 'ERR_MP_INVALID_STATE' });
      await dict.set('x', 1);
      manager.close();
      await assert.rejects(dict.get('x'), { code: 'ERR_MP_CLOSED' });
    });
    assert.equal(await dict.get('x'), 1);
    const { address } = manager;
    await manager.shutdown();
    await assert.rejects(dict.get('x'), { code: 'ERR_MP_CLOSED' });
    await assert.rejects(manager.dict(), { code: 'ERR_MP_CLOSED' });
    await assert.rejects(connect(address), { code: 'ECONNREFUSED' });
  });

  it('serves other programs over TCP, which have the key', async () => {
    const authKey = randomBytes(32);
    await using manager = await Manager({ address: { host: '127.0.0.1', port: 0 }, authKey });
    const { address } = manager;
    assert.ok('port' in address && address.port > 0);
    const list = await manager.list([1]);
    await assert.rejects(SyncManager.connect({ host: '127.0.0.1', port: address.port }, { authKey: randomBytes(32) }), {
      code: 'ERR_MP_AUTH',
    });
    const [here, there] = Pipe();
    await run(async () => {
      const other = await SyncManager.connect({ host: 'localhost', port: address.port }, { authKey });
      const counter = await other.create('Counter', 3);
      await there.send(await counter.add(1));
      await assert.rejects(other.shutdown(), { code: 'ERR_MP_INVALID_STATE' });
      other.close();
    });
    assert.equal(await here.recv(), 4);
    assert.equal(await list.length(), 1);
    here.close();
    there.close();
  });

  it('refuses wrong arguments, and an address that is taken', async () => {
    await assert.rejects(Manager({ address: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(Manager({ authKey: 'key' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(SyncManager.connect({ path: '/nowhere/at/all' }, {} as never), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    await assert.rejects(SyncManager.connect({ path: '/nowhere/at/all' }, { authKey: randomBytes(8) }), {
      code: 'ENOENT',
    });
    await using manager = await Manager();
    await assert.rejects(Manager({ address: manager.address }), { code: 'EADDRINUSE' });
    assert.throws(() => Reflect.construct(SyncManager, []), TypeError);
    await assert.rejects(manager.queue(1.5), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(manager.dict(5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('a manager whose server is a fresh process', () => {
  it('does the same, with registered functions that it can find', async () => {
    const { stdout, stderr, facts } = await runScript(
      `
      import { getContext, Manager, setStartMethod, SyncManager } from 'posix-multiprocessing';
      setStartMethod('spawn');
      SyncManager.register('Halver', process.argv[1]);
      const manager = await Manager();
      const dict = await manager.dict({ n: 8 });
      await dict.update('n', (old) => old + 2);
      const halver = await manager.create('Halver', 3);
      console.log(await dict.get('n'), await halver.half());
      await manager.shutdown();
      const other = await getContext('forkserver').Manager();
      console.log(await (await other.list([1])).length());
      await other.shutdown();
      SyncManager.register('Closure', () => ({}));
      await Manager().catch(({ code }) => console.log(code));`,
      { args: [new URL('updates.js#makeHalver', import.meta.url).href] },
    );
    assert.equal(stdout, '10 1.5\n1\nERR_MP_TARGET\n', stderr + facts);
  });
});
