import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';

const O_CLOEXEC = 0o2000000;

function isCloseOnExec(fd: number): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & O_CLOEXEC) !== 0;
}

function withPipe(body: (ends: { readEnd: number; writeEnd: number }) => void): void {
  const ends = posix.pipe();
  try {
    body(ends);
  } finally {
    posix.close(ends.readEnd);
    posix.close(ends.writeEnd);
  }
}

describe('posix descriptors', () => {
  it('pipe carries bytes in order and ends when the writer closes', () => {
    const { readEnd, writeEnd } = posix.pipe();
    assert.equal(posix.write(writeEnd, Buffer.from('hello')), 5);
    const buffer = Buffer.alloc(3);
    assert.equal(posix.read(readEnd, buffer), 3);
    assert.equal(buffer.toString(), 'hel');
    posix.close(writeEnd);
    assert.equal(posix.read(readEnd, buffer), 2);
    assert.equal(posix.read(readEnd, buffer), 0);
    posix.close(readEnd);
  });

  it('read and write return undefined where a non-blocking descriptor would wait', () => {
    withPipe(({ readEnd, writeEnd }) => {
      posix.setNonblocking(readEnd, true);
      posix.setNonblocking(writeEnd, true);
      assert.equal(posix.read(readEnd, Buffer.alloc(1)), undefined);
      const block = Buffer.alloc(65536);
      while (posix.write(writeEnd, block) !== undefined);
      assert.equal(posix.write(writeEnd, block), undefined);
    });
  });

  it('read fills any view, from its own offset', () => {
    withPipe(({ readEnd, writeEnd }) => {
      posix.write(writeEnd, new Uint16Array([0x0201, 0x0403]));
      const whole = new Uint8Array(8);
      assert.equal(posix.read(readEnd, new DataView(whole.buffer, 2, 4)), 4);
      assert.deepEqual([...whole], [0, 0, 1, 2, 3, 4, 0, 0]);
    });
  });

  it('a write that nobody can read throws EPIPE in the shape of Node', () => {
    const { readEnd, writeEnd } = posix.pipe();
    posix.close(readEnd);
    assert.throws(() => posix.write(writeEnd, Buffer.alloc(1)), { code: 'EPIPE', errno: -32, syscall: 'write' });
    posix.close(writeEnd);
  });

  it('a closed number throws EBADF from every call', () => {
    const { readEnd, writeEnd } = posix.pipe();
    posix.close(readEnd);
    posix.close(writeEnd);
    const bad = { code: 'EBADF' };
    assert.throws(() => posix.close(readEnd), bad);
    assert.throws(() => posix.read(readEnd, Buffer.alloc(1)), bad);
    assert.throws(() => posix.dup(readEnd), bad);
    assert.throws(() => posix.dup2(readEnd, readEnd), bad);
    assert.throws(() => posix.setNonblocking(readEnd, true), bad);
  });

  it('every new descriptor is close-on-exec', () => {
    withPipe(({ readEnd, writeEnd }) => {
      const target = posix.dup(readEnd);
      const made = [
        ...posix.socketpair(),
        posix.eventfd(),
        posix.dup(readEnd),
        posix.dup2(writeEnd, target),
        readEnd,
        writeEnd,
      ];
      for (const fd of made) assert.ok(isCloseOnExec(fd), `descriptor ${fd}`);
      for (const fd of made.slice(0, 5)) posix.close(fd);
    });
  });

  it('dup gives another number for the same open file', () => {
    withPipe(({ readEnd, writeEnd }) => {
      const copy = posix.dup(writeEnd);
      assert.notEqual(copy, writeEnd);
      assert.equal(fstatSync(copy).ino, fstatSync(writeEnd).ino);
      posix.write(copy, Buffer.from('x'));
      posix.close(copy);
      assert.equal(posix.read(readEnd, Buffer.alloc(2)), 1);
    });
  });

  it('dup2 replaces the target, and does nothing when both are the same', () => {
    withPipe(({ readEnd, writeEnd }) => {
      const target = openSync('/dev/null', 'r');
      assert.equal(posix.dup2(writeEnd, target), target);
      posix.write(target, Buffer.from('y'));
      assert.equal(posix.read(readEnd, Buffer.alloc(2)), 1);
      assert.equal(posix.dup2(target, target), target);
      closeSync(target);
    });
  });

  it('dup3 chooses close-on-exec and refuses equal numbers', () => {
    withPipe(({ readEnd }) => {
      const target = posix.dup(readEnd);
      posix.dup3(readEnd, target, { closeOnExec: false });
      assert.equal(isCloseOnExec(target), false);
      posix.dup3(readEnd, target);
      assert.equal(isCloseOnExec(target), true);
      assert.throws(() => posix.dup3(target, target), { code: 'ERR_INVALID_ARG_VALUE' });
      posix.close(target);
    });
  });

  it('eventfd counts, all at once or one by one', () => {
    const one = new BigUint64Array([1n]);
    const got = new BigUint64Array(1);
    const counter = posix.eventfd(3, posix.EFD_NONBLOCK);
    posix.write(counter, one);
    assert.equal(posix.read(counter, got), 8);
    assert.equal(got[0], 4n);
    assert.equal(posix.read(counter, got), undefined);
    posix.close(counter);
    const semaphore = posix.eventfd(2, posix.EFD_NONBLOCK | posix.EFD_SEMAPHORE);
    for (const left of [8, 8, undefined]) assert.equal(posix.read(semaphore, got), left);
    assert.equal(got[0], 1n);
    posix.close(semaphore);
  });

  it('wrong arguments are refused before the call', () => {
    const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => posix.close('1' as unknown as number), type);
    assert.throws(() => posix.close(-1), range);
    assert.throws(() => posix.close(1.5), range);
    assert.throws(() => posix.close(2 ** 31), range);
    assert.throws(() => posix.read(0, 'text' as unknown as Uint8Array), type);
    assert.throws(() => posix.write(1, [1] as unknown as Uint8Array), type);
    assert.throws(() => posix.eventfd(-1), range);
    assert.throws(() => posix.eventfd(2 ** 32), range);
    assert.throws(() => posix.eventfd(0, 1 << 20), range);
    assert.throws(() => posix.setNonblocking(0, 1 as unknown as boolean), type);
  });
});
