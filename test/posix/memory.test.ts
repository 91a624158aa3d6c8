import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { inChild } from '../support/in_child.js';
import { waitFor } from '../support/watchdog.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const PAGE = 4096;

let made = 0;
function freshName(): string {
  made += 1;
  return `/mp-test-${process.pid}-${made}`;
}

function withMemory(size: number, body: (fd: number) => void): void {
  const fd = posix.memfdCreate('mp-test');
  try {
    posix.ftruncate(fd, size);
    body(fd);
  } finally {
    closeSync(fd);
  }
}

function isCloseOnExec(fd: number): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0;
}

describe('posix shmOpen', () => {
  it('makes an object of size 0 that others find by its name, until shmUnlink', () => {
    const name = freshName();
    const fd = posix.shmOpen(name, { create: true, exclusive: true }, 0o640);
    const same = posix.shmOpen(name, { readOnly: true });
    assert.equal(fstatSync(fd).ino, fstatSync(same).ino);
    assert.equal(fstatSync(fd).size, 0);
    assert.equal(fstatSync(fd).mode & 0o777, 0o640 & ~process.umask());
    assert.ok(isCloseOnExec(fd) && isCloseOnExec(same));
    assert.throws(() => posix.shmOpen(name, { create: true, exclusive: true }), {
      code: 'EEXIST',
      syscall: 'shm_open',
    });
    posix.shmUnlink(name);
    assert.throws(() => posix.shmOpen(name), { code: 'ENOENT', syscall: 'shm_open' });
    assert.throws(() => posix.shmUnlink(name), { code: 'ENOENT', syscall: 'shm_unlink' });
    closeSync(fd);
    closeSync(same);
  });

  it('cuts an existing one to nothing with truncate', () => {
    const name = freshName();
    const fd = posix.shmOpen(name, { create: true });
    posix.ftruncate(fd, 100);
    closeSync(posix.shmOpen(name, { truncate: true }));
    assert.equal(fstatSync(fd).size, 0);
    posix.shmUnlink(name);
    closeSync(fd);
  });

  it('opens for reading only when asked to', () => {
    const name = freshName();
    const fd = posix.shmOpen(name, { create: true });
    const readOnly = posix.shmOpen(name, { readOnly: true });
    assert.throws(() => posix.ftruncate(readOnly, 1), { code: 'EINVAL' });
    posix.shmUnlink(name);
    closeSync(fd);
    closeSync(readOnly);
  });

  it('refuses wrong arguments', () => {
    assert.throws(() => posix.shmOpen(5 as unknown as string), wrongType);
    assert.throws(() => posix.shmOpen('/a\0b'), wrongValue);
    assert.throws(() => posix.shmOpen('/a/b', { create: true }), { code: 'EINVAL' });
    assert.throws(() => posix.shmOpen('/x', { create: 1 as unknown as boolean }), wrongType);
    assert.throws(() => posix.shmOpen('/x', 5 as unknown as object), wrongType);
    assert.throws(() => posix.shmOpen('/x', {}, 0o10000), outOfRange);
    assert.throws(() => posix.shmUnlink(undefined as unknown as string), wrongType);
    assert.throws(() => posix.memfdCreate('a\0b'), wrongValue);
  });
});

describe('posix ftruncate and posixFallocate', () => {
  it('ftruncate takes no space, posixFallocate does', () => {
    withMemory(100_000, (fd) => {
      assert.equal(fstatSync(fd).size, 100_000);
      assert.equal(fstatSync(fd).blocks, 0);
      posix.posixFallocate(fd, 0, 100_001);
      assert.equal(fstatSync(fd).size, 100_001);
      assert.ok(fstatSync(fd).blocks * 512 >= 100_001);
    });
  });

  it('posixFallocate fails with ENOSPC for more than there is', () => {
    const name = freshName();
    const fd = posix.shmOpen(name, { create: true });
    posix.shmUnlink(name);
    assert.throws(() => posix.posixFallocate(fd, 0, 2 ** 50), { code: 'ENOSPC', syscall: 'posix_fallocate' });
    closeSync(fd);
  });

  it('refuse wrong arguments', () => {
    assert.throws(() => posix.ftruncate(-1, 1), outOfRange);
    assert.throws(() => posix.ftruncate(1, -1), outOfRange);
    assert.throws(() => posix.ftruncate(1, 1.5), outOfRange);
    assert.throws(() => posix.posixFallocate(1, 0, 0), outOfRange);
    assert.throws(() => posix.posixFallocate(1, '0' as unknown as number, 1), wrongType);
    assert.throws(() => posix.ftruncate(2 ** 30, 1), { code: 'EBADF', syscall: 'ftruncate' });
  });
});

describe('posix mmap', () => {
  it('maps the same bytes everywhere, also after the descriptor is closed', () => {
    const fd = posix.memfdCreate('mp-test');
    posix.ftruncate(fd, 10_000);
    const first = posix.mmap(fd, 10_000);
    const second = posix.mmap(fd, 10_000);
    closeSync(fd);
    assert.equal(first.byteLength, 10_000);
    new Uint8Array(first)[9_999] = 42;
    assert.equal(new Uint8Array(second)[9_999], 42);
    posix.munmap(first);
    posix.munmap(second);
  });

  it('shares anonymous memory with forked children, unless it is not shared', async () => {
    const shared = posix.mmap(undefined, PAGE);
    const own = posix.mmap(undefined, PAGE, { shared: false });
    const inherited = await inChild(() => {
      const values = [new Int32Array(shared), new Int32Array(own)].map((words) => Atomics.add(words, 0, 5));
      posix.munmap(shared);
      return values;
    });
    assert.deepEqual(inherited, [0, 0]);
    assert.equal(new Int32Array(shared)[0], 5);
    assert.equal(new Int32Array(own)[0], 0);
    posix.munmap(shared);
    posix.munmap(own);
  });

  it('maps from an offset', () => {
    withMemory(2 * PAGE, (fd) => {
      const whole = posix.mmap(fd, 2 * PAGE);
      const part = posix.mmap(fd, PAGE, { offset: PAGE, writable: false });
      new Uint8Array(whole)[PAGE + 3] = 9;
      assert.equal(new Uint8Array(part)[3], 9);
      assert.throws(() => posix.mmap(fd, PAGE, { offset: 100 }), { code: 'EINVAL', syscall: 'mmap' });
      posix.munmap(whole);
      posix.munmap(part);
    });
  });

  it('refuses wrong arguments', () => {
    assert.throws(() => posix.mmap(undefined, 0), outOfRange);
    assert.throws(() => posix.mmap(undefined, Number.NaN), outOfRange);
    assert.throws(() => posix.mmap('1' as unknown as number, 1), wrongType);
    assert.throws(() => posix.mmap(undefined, 1, { shared: 'yes' as unknown as boolean }), wrongType);
    assert.throws(() => posix.mmap(undefined, 1, { offset: -1 }), outOfRange);
    assert.throws(() => posix.mmap(2 ** 30, PAGE), { code: 'EBADF' });
    assert.throws(() => posix.mmap(undefined, 2 ** 52), { code: 'ENOMEM' });
  });
});

describe('posix munmap', () => {
  it('leaves every view with length 0, in which nothing is read or written', () => {
    const buffer = posix.mmap(undefined, PAGE);
    const bytes = new Uint8Array(buffer);
    const words = new Float64Array(buffer, 8, 2);
    const data = new DataView(buffer);
    posix.munmap(buffer);
    assert.deepEqual([buffer.byteLength, bytes.length, words.length], [0, 0, 0]);
    bytes[0] = 1;
    assert.equal(bytes[0], undefined);
    assert.throws(() => data.getInt8(0), TypeError);
  });

  it('unmaps a buffer once', () => {
    const buffer = posix.mmap(undefined, PAGE);
    posix.munmap(buffer);
    assert.throws(() => posix.munmap(buffer), { code: 'EINVAL', syscall: 'munmap' });
  });

  it('unmaps at once: more than the kernel allows at a time, one after the other', () => {
    const limit = Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8'));
    for (let i = 0; i < limit + 1000; i += 1) posix.munmap(posix.mmap(undefined, PAGE));
  });

  it('leaves the bytes of a transferred buffer to the new one', () => {
    const buffer = posix.mmap(undefined, PAGE) as ArrayBuffer & { transfer?: () => ArrayBuffer };
    const moved = buffer.transfer?.(); // Node 22
    if (moved === undefined) return;
    assert.throws(() => posix.munmap(buffer), { code: 'EINVAL' });
    assert.throws(() => posix.munmap(moved), wrongValue);
    new Uint8Array(moved).fill(7);
    assert.equal(new Uint8Array(moved)[PAGE - 1], 7);
  });

  it('refuses what mmap did not make', () => {
    for (const other of [new ArrayBuffer(8), new SharedArrayBuffer(8), Buffer.alloc(8), {}, undefined, 1]) {
      assert.throws(() => posix.munmap(other as ArrayBuffer), wrongValue);
      assert.throws(() => posix.msync(other as ArrayBuffer), wrongValue);
    }
  });
});

describe('a mapping that nobody refers to', () => {
  it('is unmapped when it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const count = (): number => readFileSync('/proc/self/maps', 'utf8').split('memfd:mp-collected').length - 1;
    const fd = posix.memfdCreate('mp-collected');
    posix.ftruncate(fd, PAGE);
    for (let i = 0; i < 100; i += 1) new Uint8Array(posix.mmap(fd, PAGE, { offset: 0 }))[0] = i;
    closeSync(fd);
    assert.ok(count() > 0);
    await waitFor('the mappings to go', () => {
      collect();
      return count() === 0;
    });
  });
});

describe('posix msync', () => {
  it('writes a mapping back to its file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mp-'));
    const file = path.join(folder, 'mapped');
    writeFileSync(file, Buffer.alloc(2 * PAGE));
    const fd = openSync(file, 'r+');
    const buffer = posix.mmap(fd, 2 * PAGE);
    closeSync(fd);
    new Uint8Array(buffer).set(Buffer.from('hello'), PAGE);
    posix.msync(buffer);
    posix.msync(buffer, { offset: PAGE, length: 5, async: true });
    assert.equal(
      readFileSync(file)
        .subarray(PAGE, PAGE + 5)
        .toString(),
      'hello',
    );
    posix.munmap(buffer);
    rmSync(folder, { recursive: true });
  });

  it('refuses a range outside the mapping or not on a page', () => {
    const buffer = posix.mmap(undefined, 2 * PAGE);
    assert.throws(() => posix.msync(buffer, { offset: 1 }), { code: 'EINVAL', syscall: 'msync' });
    assert.throws(() => posix.msync(buffer, { offset: PAGE, length: PAGE + 1 }), outOfRange);
    assert.throws(() => posix.msync(buffer, { offset: 3 * PAGE }), outOfRange);
    assert.throws(() => posix.msync(buffer, { async: 1 as unknown as boolean }), wrongType);
    posix.munmap(buffer);
  });
});
