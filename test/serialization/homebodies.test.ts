import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Connection, Pipe, Process, Queue } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';

describe('objects of the library in a message', () => {
  it('are refused at the call, with the path to them and the way that works', () => {
    using queue = new Queue();
    const [here, there] = Pipe();
    for (const object of [new Process()]) {
      const message = /^\w+\.deep\[1\] is a \w+: a forked child reaches it by a closure/;
      assert.throws(() => queue.putNowait({ deep: [0, object] }), { code: 'ERR_MP_SERIALIZE', message });
      assert.throws(() => here.sendSync({ deep: [0, object] }), { code: 'ERR_MP_SERIALIZE', message });
    }
    assert.equal(queue.size, 0);
    here.close();
    there.close();
  });

  it('that have descriptors are refused where none can travel', () => {
    const { readEnd, writeEnd } = posix.pipe();
    const receiver = new Connection(readEnd, { writable: false });
    const sender = new Connection(writeEnd, { readable: false });
    const message = "value.deep[1] has a descriptor, which this channel can't carry";
    assert.throws(() => sender.sendSync({ deep: [0, receiver] }), { code: 'ERR_MP_SERIALIZE', message });
    assert.equal(receiver.pollSync(), false);
    receiver.close();
    sender.close();
  });
});
