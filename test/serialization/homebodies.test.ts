import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Lock, Pipe, Process, Queue, SharedMemory } from 'posix-multiprocessing';

describe('objects of the library in a message', () => {
  it('are refused at the call, with the path to them and the way that works', () => {
    using lock = new Lock();
    using queue = new Queue();
    using memory = SharedMemory.create({ size: 16 });
    const [here, there] = Pipe();
    for (const object of [lock, queue, memory, here, new Process()]) {
      const message = /^\w+\.deep\[1\] is a \w+: a forked child reaches it by a closure/;
      assert.throws(() => queue.putNowait({ deep: [0, object] }), { code: 'ERR_MP_SERIALIZE', message });
      assert.throws(() => here.sendSync({ deep: [0, object] }), { code: 'ERR_MP_SERIALIZE', message });
    }
    assert.equal(queue.size, 0);
    memory.unlink();
    here.close();
    there.close();
  });
});
