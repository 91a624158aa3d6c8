import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { Pipe, Process, SimpleQueue } from 'posix-multiprocessing';

describe('SimpleQueue', () => {
  it('gives values back in order, awaited or blocking', async () => {
    using queue = new SimpleQueue();
    assert.equal(queue.isEmpty(), true);
    await queue.put(1);
    queue.putSync({ two: [2n] });
    assert.equal(queue.isEmpty(), false);
    assert.equal(queue.getSync(), 1);
    assert.deepEqual(await queue.get(), { two: [2n] });
    assert.throws(() => queue.putSync(() => {}), { code: 'ERR_MP_SERIALIZE' });
    assert.equal(queue.isEmpty(), true);
    assert.equal(inspect(queue), 'SimpleQueue { size: 0 }');
  });

  it('reaches a child by closure and by message', async () => {
    using queue = new SimpleQueue<string>();
    const [mine, its] = Pipe<SimpleQueue<string>>();
    const child = await new Process({
      target: async () => {
        const same = await its.recv();
        queue.putSync('by closure');
        await same.put('by message');
        same.close();
      },
    }).start();
    await mine.send(queue);
    assert.equal(await queue.get(), 'by closure');
    assert.equal(queue.getSync(), 'by message');
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    mine.close();
    its.close();
  });

  it('close() may be repeated; every call throws then', async () => {
    const queue = new SimpleQueue<number>();
    queue.close();
    queue.close();
    const closed = { code: 'ERR_MP_CLOSED' };
    await assert.rejects(queue.put(1), closed);
    await assert.rejects(queue.get(), closed);
    assert.throws(() => queue.putSync(1), closed);
    assert.throws(() => queue.getSync(), closed);
    assert.throws(() => queue.isEmpty(), closed);
  });
});
