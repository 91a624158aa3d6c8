import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';

function withSockets(body: (first: number, second: number) => void): void {
  const [first, second] = posix.socketpair();
  try {
    body(first, second);
  } finally {
    posix.close(first);
    posix.close(second);
  }
}

describe('posix sockets', () => {
  it('socketpair carries bytes both ways', () => {
    withSockets((first, second) => {
      const buffer = Buffer.alloc(4);
      posix.write(first, Buffer.from('ping'));
      posix.read(second, buffer);
      assert.equal(buffer.toString(), 'ping');
      posix.write(second, Buffer.from('pong'));
      posix.read(first, buffer);
      assert.equal(buffer.toString(), 'pong');
    });
  });

  it('a descriptor that travels is the same open file, close-on-exec', () => {
    withSockets((first, second) => {
      const { readEnd, writeEnd } = posix.pipe();
      assert.equal(posix.sendFds(first, [writeEnd], Buffer.from('here')), 4);
      posix.close(writeEnd);
      const data = Buffer.alloc(16);
      const received = posix.recvFds(second, 4, data);
      assert.equal(received?.bytes, 4);
      assert.equal(received.truncated, false);
      assert.equal(data.toString('utf8', 0, 4), 'here');
      const [copy] = received.fds as [number];
      assert.equal(received.fds.length, 1);
      assert.match(readFileSync(`/proc/self/fdinfo/${copy}`, 'utf8'), /^flags:\s*02\d{6}$/m);
      posix.write(copy, Buffer.from('through'));
      assert.equal(posix.read(readEnd, data), 7);
      posix.close(copy);
      posix.close(readEnd);
    });
  });

  it('as many as the kernel takes travel in one message, and one more is refused', () => {
    withSockets((first, second) => {
      const many = Array.from({ length: 253 }, () => first);
      posix.sendFds(first, many);
      const received = posix.recvFds(second);
      assert.equal(received?.fds.length, 253);
      assert.equal(new Set(received.fds).size, 253);
      for (const fd of received.fds) posix.close(fd);
      assert.throws(() => posix.sendFds(first, [...many, first]), { code: 'ERR_OUT_OF_RANGE' });
    });
  });

  it('descriptors beyond maxFds are closed and reported', () => {
    withSockets((first, second) => {
      for (const maxFds of [0, 1, 2]) {
        posix.sendFds(first, [first, first, first]);
        const received = posix.recvFds(second, maxFds);
        assert.equal(received?.fds.length, maxFds);
        assert.equal(received.truncated, true);
        for (const fd of received.fds) posix.close(fd);
      }
    });
  });

  it('recvFds gives 0 bytes at the end and undefined when there is nothing yet', () => {
    const [first, second] = posix.socketpair();
    posix.setNonblocking(second, true);
    assert.equal(posix.recvFds(second), undefined);
    posix.close(first);
    assert.deepEqual(posix.recvFds(second), { bytes: 0, fds: [], truncated: false });
    posix.close(second);
  });

  it('wrong arguments and wrong descriptors are refused', () => {
    withSockets((first) => {
      const { readEnd, writeEnd } = posix.pipe();
      assert.throws(() => posix.sendFds(writeEnd, [first]), { code: 'ENOTSOCK', syscall: 'sendmsg' });
      assert.throws(() => posix.recvFds(readEnd), { code: 'ENOTSOCK', syscall: 'recvmsg' });
      posix.close(readEnd);
      posix.close(writeEnd);
      assert.throws(() => posix.sendFds(first, [writeEnd]), { code: 'EBADF' });
      assert.throws(() => posix.sendFds(first, 1 as unknown as number[]), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => posix.sendFds(first, ['1' as unknown as number]), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => posix.sendFds(first, [first], new Uint8Array(0)), { code: 'ERR_OUT_OF_RANGE' });
      assert.throws(() => posix.recvFds(first, 254), { code: 'ERR_OUT_OF_RANGE' });
      assert.throws(() => posix.recvFds(first, 1, new Uint8Array(0)), { code: 'ERR_OUT_OF_RANGE' });
    });
  });
});
